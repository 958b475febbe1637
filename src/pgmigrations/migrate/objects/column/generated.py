"""The block that changes what a generated column is generated from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified
from pgmigrations.migrate.objects.column.definition import column_definition, split_generated


def is_made_again(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether no server can change the column in place."""
    before, after = split_generated(old["generated"])[0], split_generated(new["generated"])[0]
    if (before, after) == ("STORED", ""):
        return False
    return before != after or any(old.get(key) != new.get(key) for key in ("type", "collation"))


def generated_block(
    place: tuple[str | None, str, str],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    using: str | None,
) -> str:
    """Write the block.

    Where the column is made again, its indexes and constraints go with it and are given back. One
    that stores nothing and becomes a plain column is stored first: an UPDATE would meet triggers,
    and a publication's want of a replica identity.
    PostgreSQL 17 and newer change an expression in place (manual, ALTER TABLE, SET EXPRESSION),
    but 18 refuses to where the table has a check on whatever column and this one is virtual.
    """
    table, column = qualified(*place[:2]), identifier(place[2])
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    before, after = split_generated(old["generated"]), split_generated(new["generated"])
    if before[0] == "STORED" and not after[0]:
        return do_block("\n  ".join(["BEGIN", *_settled(alter, old, new, using)]) + "\nEND")
    made = new if after[0] else {**new, **old, "generated": f"STORED {before[1]}"}
    settled = [] if after[0] else _settled(alter, old, new, using)
    again = _made_again(table, column, place[2], made, settled)
    if is_made_again(old, new):
        return do_block(f"{_DECLARE}BEGIN\n{again}\nEND")
    return do_block(f"""\
{_DECLARE}BEGIN
  IF current_setting('server_version_num')::int >= 170000 THEN
    BEGIN
      EXECUTE {literal(f"{alter} SET EXPRESSION AS ({after[1]})")};
      RETURN;
    EXCEPTION WHEN feature_not_supported THEN
      -- A virtual column of a table with checks, or in a publication.
    END;
  END IF;
{again}
END""")


def _settled(
    alter: str, old: Mapping[str, Any], new: Mapping[str, Any], using: str | None
) -> list[str]:
    """Write the statements that make a stored column a plain one that keeps its values."""
    statements = [f"{alter} DROP EXPRESSION IF EXISTS;"]
    if any(old.get(key) != new.get(key) for key in ("type", "collation")):
        definition = column_definition(new["type"], new.get("collation", ""), "")
        conversion = f" USING {using}" if using else ""
        statements.append(f"{alter} TYPE {definition}{conversion};")
    return statements


def _made_again(
    table: str, column: str, name: str, made: Mapping[str, Any], settled: Sequence[str]
) -> str:
    definition = column_definition(made["type"], made.get("collation", ""), made["generated"])
    executed = "\n".join(
        f"  EXECUTE {literal(statement)};"
        for statement in (f"ALTER TABLE {table} ADD COLUMN {column} {definition}", *settled)
    )
    return f"""\
  relation := {literal(table)}::regclass;
  named := {literal(name)};
{_GATHER}
  FOREACH statement IN ARRAY takes LOOP
    EXECUTE statement;
  END LOOP;
{executed}
  FOREACH statement IN ARRAY gives LOOP
    EXECUTE statement;
  END LOOP;"""


_DECLARE = """\
DECLARE
  relation regclass;
  named name;
  takes text[];  -- statements that drop the column, and before it what it would not take with it
  gives text[];  -- statements that make the dependants again
  statement text;
"""

# The column goes from the partitions, too, with what they have on it besides. What inherits it in
# two ways is one member, and so is what had such a column already when it came to inherit.
_MEMBERS = """\
  WITH RECURSIVE member AS (
    SELECT relation AS relation, a.attnum AS number, 0 AS level, a.attnotnull AS is_needed,
           pg_get_expr(f.adbin, f.adrelid) AS expression, false AS is_local
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE a.attrelid = relation AND a.attname = named AND NOT a.attisdropped
    UNION
    SELECT h.inhrelid::regclass, a.attnum, m.level + 1, m.is_needed, m.expression, a.attislocal
    FROM member m
    JOIN pg_catalog.pg_inherits h ON h.inhparent = m.relation
    JOIN pg_catalog.pg_attribute a ON a.attrelid = h.inhrelid AND a.attname = named
      AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE NOT a.attislocal OR m.expression IS NOT DISTINCT FROM pg_get_expr(f.adbin, f.adrelid))"""

_LAST = 1_000_000

_COLUMN = "d.refobjid = m.relation AND d.refobjsubid = m.number"

# What a condition of an exclusion constraint is on, its index knows.
_CONSTRAINTS = f"""\
    FROM member m
    JOIN pg_catalog.pg_constraint k ON k.conrelid = m.relation
    WHERE k.contype IN ('c', 'u', 'p', 'x', 'f') AND k.coninhcount = 0
      AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE {_COLUMN}
                    AND (d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
                      OR d.classid = 'pg_class'::regclass AND d.objid = k.conindid
                        AND k.contype = 'x'))"""

_INDEXES = f"""\
    FROM member m
    JOIN pg_catalog.pg_index i ON i.indrelid = m.relation
    WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE {_COLUMN}
                    AND d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
                      AND k.conrelid = m.relation AND k.contype IN ('p', 'u', 'x'))"""

_STATISTICS = f"""\
    FROM member m
    JOIN pg_catalog.pg_statistic_ext e ON e.stxrelid = m.relation
    WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE {_COLUMN}
                    AND d.classid = 'pg_statistic_ext'::regclass AND d.objid = e.oid)"""

_COLUMNS = """\
    FROM member m
    JOIN pg_catalog.pg_attribute a ON a.attrelid = m.relation AND a.attnum = m.number"""

# An index of a partitioned table prints as one of that table ONLY: those of its partitions are
# made by their own names, and attached when all are there.
_GATHER = f"""\
{_MEMBERS}
  SELECT array_agg(taking ORDER BY place, level) INTO takes FROM (
    SELECT m.level, 1 AS place,
           format('ALTER TABLE %s DROP CONSTRAINT %I', m.relation, k.conname) AS taking
{_CONSTRAINTS} AND k.contype = 'x'
    UNION ALL
    SELECT max(m.level), 2, format('ALTER TABLE %s DROP COLUMN %I', m.relation, named)
    FROM member m WHERE m.level = 0 OR m.is_local GROUP BY m.relation
  ) AS dependant;
{_MEMBERS}
  SELECT coalesce(array_agg(making ORDER BY level, place, making), '{{}}') INTO gives FROM (
    SELECT m.level, 1 AS place, pg_get_indexdef(i.indexrelid) AS making
{_INDEXES}
    UNION ALL
    SELECT {_LAST}, 1, format('ALTER INDEX %s ATTACH PARTITION %s', h.inhparent::regclass,
                              h.inhrelid::regclass)
    FROM pg_catalog.pg_inherits h WHERE h.inhparent IN (
      SELECT i.indexrelid
{_INDEXES})
    UNION ALL
    SELECT m.level, 3, format('ALTER TABLE %s ADD CONSTRAINT %I %s', m.relation, k.conname,
                              pg_get_constraintdef(k.oid))
{_CONSTRAINTS}
    UNION ALL
    SELECT m.level, 4, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, m.relation,
                              obj_description(k.oid, 'pg_constraint'))
{_CONSTRAINTS} AND obj_description(k.oid, 'pg_constraint') IS NOT NULL
    UNION ALL
    SELECT m.level, 5, format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass,
                              obj_description(i.indexrelid, 'pg_class'))
{_INDEXES} AND obj_description(i.indexrelid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT m.level, 5, format('COMMENT ON INDEX %s IS %L', k.conindid::regclass,
                              obj_description(k.conindid, 'pg_class'))
{_CONSTRAINTS} AND k.contype <> 'f' AND obj_description(k.conindid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT m.level, 6, pg_get_statisticsobjdef(e.oid)
{_STATISTICS}
    UNION ALL
    SELECT m.level, 7, format('ALTER STATISTICS %s.%I SET STATISTICS %s',
                              e.stxnamespace::regnamespace, e.stxname, e.stxstattarget)
{_STATISTICS} AND e.stxstattarget >= 0
    UNION ALL
    SELECT m.level, 7, format('COMMENT ON STATISTICS %s.%I IS %L', e.stxnamespace::regnamespace,
                              e.stxname, obj_description(e.oid, 'pg_statistic_ext'))
{_STATISTICS} AND obj_description(e.oid, 'pg_statistic_ext') IS NOT NULL
    UNION ALL
    SELECT m.level, 8, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, named, m.relation,
                              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END,
                              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
{_COLUMNS} CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS g
    UNION ALL
    SELECT m.level, 9, format('COMMENT ON COLUMN %s.%I IS %L', m.relation, named,
                              col_description(m.relation, m.number))
{_COLUMNS} WHERE m.level > 0 AND col_description(m.relation, m.number) IS NOT NULL
    UNION ALL
    SELECT m.level, 10, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s',
                               m.relation, named, a.attstattarget)
{_COLUMNS} WHERE m.level > 0 AND a.attstattarget >= 0
    UNION ALL
    SELECT m.level, 10, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET (%s)', m.relation, named,
                               array_to_string(a.attoptions, ', '))
{_COLUMNS} WHERE m.level > 0 AND a.attoptions IS NOT NULL
    UNION ALL
    SELECT m.level, 11, format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', m.relation, named)
{_COLUMNS} WHERE m.level > 0 AND a.attnotnull AND NOT m.is_needed
  ) AS dependant;"""
