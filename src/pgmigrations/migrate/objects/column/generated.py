"""The block that changes what a generated column is generated from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified
from pgmigrations.migrate.objects.column.definition import column_definition, split_generated

_NEW = "pgmigrations_new"


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

    Where the column is made again, its indexes and constraints go with it and are given back.
    PostgreSQL 17 and newer change an expression in place (manual, ALTER TABLE, SET EXPRESSION),
    but 18 refuses to where the table has a check on whatever column and this one is virtual.
    """
    table, column = qualified(*place[:2]), identifier(place[2])
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    before, after = split_generated(old["generated"]), split_generated(new["generated"])
    if before[0] == "STORED" and not after[0]:
        definition = column_definition(new["type"], new.get("collation", ""), "")
        conversion = f" USING {using}" if using else ""
        retyped = f"\n  {alter} TYPE {definition}{conversion};"
        if all(old.get(key) == new.get(key) for key in ("type", "collation")):
            retyped = ""
        return do_block(f"BEGIN\n  {alter} DROP EXPRESSION IF EXISTS;{retyped}\nEND")
    kept = "" if after[0] else using or column
    again = _made_again(table, column, place[2], new, kept)
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


def _made_again(table: str, column: str, name: str, new: Mapping[str, Any], kept: str) -> str:
    definition = column_definition(new["type"], new.get("collation", ""), new["generated"])
    make = f"ALTER TABLE {table} ADD COLUMN {column} {definition}"
    drop = f"ALTER TABLE {table} DROP COLUMN {column}"
    steps = [drop, make]
    if kept:
        other = identifier(_NEW)
        steps = [
            f"ALTER TABLE {table} ADD COLUMN {other} {definition}",
            f"UPDATE {table} SET {other} = {kept}",
            drop,
            f"ALTER TABLE {table} RENAME COLUMN {other} TO {column}",
        ]
    executed = "\n".join(f"  EXECUTE {literal(step)};" for step in steps)
    return f"""\
  relation := {literal(table)}::regclass;
  SELECT attnum INTO number FROM pg_catalog.pg_attribute
  WHERE attrelid = relation AND attname = {literal(name)} AND NOT attisdropped;
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
  number smallint;
  takes text[];  -- statements that drop what a column would not take with it
  gives text[];  -- statements that make the dependants again
  statement text;
"""

# What a condition of an exclusion constraint is on, its index knows.
_ON_COLUMN = """EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.refobjid = relation AND d.refobjsubid = number
                  AND (d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
                    OR d.classid = 'pg_class'::regclass AND d.objid = k.conindid
                      AND k.contype = 'x'))"""

_GATHER = f"""\
  SELECT coalesce(array_agg(
    format('ALTER TABLE %s DROP CONSTRAINT %I', relation, k.conname)), '{{}}') INTO takes
  FROM pg_catalog.pg_constraint k
  WHERE k.conrelid = relation AND k.contype = 'x'
    AND {_ON_COLUMN};
  SELECT coalesce(array_agg(making ORDER BY place, making), '{{}}') INTO gives FROM (
    SELECT 1 AS place, pg_get_indexdef(i.indexrelid) AS making
    FROM pg_catalog.pg_index i
    WHERE i.indrelid = relation
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid
                      AND k.conrelid = relation AND k.contype IN ('p', 'u', 'x'))
      AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                    AND d.refobjid = relation AND d.refobjsubid = number)
    UNION ALL
    SELECT 5, format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass,
                     obj_description(i.indexrelid, 'pg_class'))
    FROM pg_catalog.pg_index i
    WHERE i.indrelid = relation AND obj_description(i.indexrelid, 'pg_class') IS NOT NULL
      AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                    AND d.refobjid = relation AND d.refobjsubid = number)
    UNION ALL
    SELECT 3 + step, CASE step
        WHEN 0 THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, k.conname,
                           pg_get_constraintdef(k.oid))
        ELSE format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, relation,
                    obj_description(k.oid, 'pg_constraint')) END
    FROM pg_catalog.pg_constraint k, generate_series(0, 1) AS step
    WHERE k.conrelid = relation AND k.contype IN ('c', 'u', 'p', 'x', 'f')
      AND (step = 0 OR obj_description(k.oid, 'pg_constraint') IS NOT NULL)
      AND {_ON_COLUMN}
  ) AS dependant;"""
