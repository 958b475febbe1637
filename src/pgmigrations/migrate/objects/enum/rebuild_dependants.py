"""The part of the rebuild that writes down what hangs on the type inside of tables.

PostgreSQL makes indexes and constraints of a column again by itself when its type changes, but from
a text that still names the old type; and it refuses columns that a generated column uses. So
everything on these columns is taken away before and made again after, from the server's own
definitions, read before anything changes.

What is taken last comes back first. A generated column is dropped and added at the table's end: no
release can change the type of a column that one uses, and none can make a column generated.
"""

from __future__ import annotations

from pgmigrations.migrate.objects.enum.rebuild_survey import hangs

# pg_get_constraintdef() and pg_get_indexdef() leave the tablespace out.
_TABLESPACE = """format('SET LOCAL default_tablespace = %L; ', coalesce(
          (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace), ''))"""

_CONSTRAINT_COMMENT = """coalesce(format('; COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname,
          k.conrelid::regclass, obj_description(k.oid, 'pg_constraint')), '')"""

_CONSTRAINT = "pg_describe_object('pg_catalog.pg_constraint'::regclass, k.oid, 0)"
_INDEX = "pg_describe_object('pg_catalog.pg_class'::regclass, i.indexrelid, 0)"
_COLUMN = "pg_describe_object('pg_catalog.pg_class'::regclass, a.attrelid, a.attnum)"

# A partition's share of a foreign key comes and goes with the whole.
_FOREIGN_KEYS = f"""
    SELECT 0, {_CONSTRAINT},
      format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
             pg_get_constraintdef(k.oid)) || {_CONSTRAINT_COMMENT}
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0 AND {hangs("pg_constraint", "k.oid")}"""

_STATISTICS = f"""
    SELECT 0, s.name, format('DROP STATISTICS %s', s.name),
      concat_ws('; ', pg_get_statisticsobjdef(s.oid),
        format('ALTER STATISTICS %s OWNER TO %I', s.name, pg_get_userbyid(s.stxowner)),
        CASE WHEN s.stxstattarget >= 0
          THEN format('ALTER STATISTICS %s SET STATISTICS %s', s.name, s.stxstattarget) END,
        CASE WHEN s.remark IS NOT NULL
          THEN format('COMMENT ON STATISTICS %s IS %L', s.name, s.remark) END)
    FROM (SELECT e.*, format('%I.%I', n.nspname, e.stxname) AS name,
                 obj_description(e.oid, 'pg_statistic_ext') AS remark
          FROM pg_catalog.pg_statistic_ext e
          JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace) s
    WHERE {hangs("pg_statistic_ext", "s.oid")}"""

# What is said of an index after it is made; an index of a partition joins its parent's first.
_INDEX_MARKS = f"""
    SELECT 1, {_INDEX}, NULL,
      format('ALTER INDEX %s ATTACH PARTITION %s', h.inhparent::regclass, h.inhrelid::regclass)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
    WHERE i.indexrelid = ANY (index_ids)
    UNION ALL
    SELECT 0, {_INDEX}, NULL, nullif(concat_ws('; ',
      CASE WHEN i.indisclustered
        THEN format('ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, c.relname) END,
      CASE WHEN i.indisreplident
        THEN format('ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %I', i.indrelid::regclass,
                    c.relname) END,
      (SELECT string_agg(format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', c.oid::regclass,
                                a.attnum, a.attstattarget), '; ')
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0),
      CASE WHEN obj_description(c.oid, 'pg_class') IS NOT NULL
        THEN format('COMMENT ON INDEX %s IS %L', c.oid::regclass,
                    obj_description(c.oid, 'pg_class')) END), '')
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indexrelid = ANY (index_ids)"""

# An index of a partitioned table is defined with ONLY; the partitions' own keep their names so.
_INDEXES = f"""
    SELECT 0, {_INDEX},
      CASE WHEN NOT c.relispartition THEN format('DROP INDEX %s', c.oid::regclass) END,
      {_TABLESPACE} || pg_get_indexdef(c.oid)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indexrelid = ANY (index_ids)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                      WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))"""

# Of a key, pg_get_constraintdef() leaves the index's parameters out; they go before DEFERRABLE.
_KEY = """CASE WHEN k.contype = 'x' OR c.reloptions IS NULL THEN pg_get_constraintdef(k.oid)
        ELSE (SELECT format('%s WITH (%s)%s',
                left(pg_get_constraintdef(k.oid),
                     length(pg_get_constraintdef(k.oid)) - length(late.words)),
                array_to_string(c.reloptions, ', '), late.words)
              FROM (SELECT CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END
                || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
                ) late (words)) END"""

# A check that a child has by itself, too, can be dropped only when its parent's is gone.
_CONSTRAINTS = f"""
    SELECT 0, {_CONSTRAINT},
      CASE WHEN k.conparentid = 0
        THEN format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname) END,
      {_TABLESPACE} || format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', k.conrelid::regclass,
        k.conname, {_KEY}) || {_CONSTRAINT_COMMENT}
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conindid
    WHERE k.contype IN ('p', 'u', 'x') AND k.conindid = ANY (index_ids)
    UNION ALL
    SELECT array_position(table_ids, k.conrelid), {_CONSTRAINT},
      format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
             pg_get_constraintdef(k.oid)) || {_CONSTRAINT_COMMENT}
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'c' AND k.conislocal AND k.conrelid <> 0
      AND {hangs("pg_constraint", "k.oid")}"""

# `replace` changes what a default says where the default is one label and nothing else.
_DEFAULTS = f"""
    SELECT 0, {_COLUMN},
      format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', f.adrelid::regclass, a.attname),
      format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', f.adrelid::regclass, a.attname,
        coalesce(
          (SELECT format('%L::%s', replacements[r.place], format_type(type_id, NULL))
           FROM unnest(replaced) WITH ORDINALITY r (label, place)
           WHERE pg_get_expr(f.adbin, f.adrelid)
                 = format('%L::%s', r.label, format_type(type_id, NULL))),
          pg_get_expr(f.adbin, f.adrelid)))
    FROM pg_catalog.pg_attrdef f
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE a.attgenerated = '' AND ({hangs("pg_attrdef", "f.oid")}
      OR concat_ws('.', a.attrelid, a.attnum) = ANY (column_keys))"""

# ALTER COLUMN TYPE forgets the storage and the compression; DROP COLUMN forgets everything.
_COLUMNS = f"""
    SELECT array_position(table_ids, a.attrelid) + 10000, {_COLUMN}, NULL, nullif(concat_ws('; ',
      CASE WHEN a.attstorage <> t.typstorage
        THEN alter_column || ' SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN'
          WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
      CASE WHEN a.attcompression <> ''
        THEN alter_column || ' SET COMPRESSION '
          || CASE a.attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END END,
      CASE WHEN is_generated THEN concat_ws('; ',
        CASE WHEN a.attnotnull AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint k
            WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum)
          THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', a.attrelid::regclass,
                      a.attname) END,
        CASE WHEN a.attstattarget >= 0
          THEN alter_column || format(' SET STATISTICS %s', a.attstattarget) END,
        CASE WHEN a.attoptions IS NOT NULL
          THEN alter_column || format(' SET (%s)', array_to_string(a.attoptions, ', ')) END,
        CASE WHEN col_description(a.attrelid, a.attnum) IS NOT NULL
          THEN format('COMMENT ON COLUMN %s.%I IS %L', a.attrelid::regclass, a.attname,
                      col_description(a.attrelid, a.attnum)) END,
        (SELECT string_agg(format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, a.attname,
           a.attrelid::regclass,
           CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
           CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '; ')
         FROM aclexplode(a.attacl) g)) END), '')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT
      format('ALTER TABLE ONLY %s ALTER COLUMN %I', a.attrelid::regclass, a.attname),
      concat_ws('.', a.attrelid, a.attnum) = ANY (generated_keys)) v (alter_column, is_generated)
    WHERE concat_ws('.', a.attrelid, a.attnum) = ANY (column_keys)
    UNION ALL
    -- From PostgreSQL 18 on, NOT NULL is a constraint with a name, an attached partition's
    -- own; it is added before its parent's, which then finds it.
    SELECT array_position(table_ids, k.conrelid) + 20000, {_CONSTRAINT}, NULL,
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
             pg_get_constraintdef(k.oid)) || {_CONSTRAINT_COMMENT}
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'n' AND (k.conislocal OR NOT EXISTS (
        SELECT FROM pg_catalog.pg_inherits h
        JOIN pg_catalog.pg_constraint p ON p.conrelid = h.inhparent AND p.conname = k.conname
        WHERE h.inhrelid = k.conrelid AND p.contype = 'n'))
      AND concat_ws('.', k.conrelid, k.conkey[1]) = ANY (generated_keys)
    UNION ALL
    SELECT 40000 - a.attnum, {_COLUMN},
      format('ALTER TABLE %s DROP COLUMN %I', a.attrelid::regclass, a.attname),
      format('ALTER TABLE %s ADD COLUMN %I %s%s GENERATED ALWAYS AS (%s) %s', a.attrelid::regclass,
        a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation
          THEN format(' COLLATE %s', a.attcollation::regcollation) END,
        pg_get_expr(f.adbin, f.adrelid),
        CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE concat_ws('.', a.attrelid, a.attnum) = ANY (generated_keys) AND a.attinhcount = 0"""

_PARTS = (
    ("Foreign keys", _FOREIGN_KEYS),
    ("Extended statistics", _STATISTICS),
    ("Marks of indexes", _INDEX_MARKS),
    ("Indexes", _INDEXES),
    ("Constraints", _CONSTRAINTS),
    ("Defaults", _DEFAULTS),
    ("Columns", _COLUMNS),
)


def gather() -> str:
    """Write the statements that fill `takes` and `gives`."""
    parts = "".join(_part(title, query) for title, query in _PARTS)
    return f"""\
  -- With nothing else on the path every name is printed with its schema.
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
{parts}
  PERFORM set_config('search_path', path, true);
"""


def _part(title: str, query: str) -> str:
    return f"""
  -- {title}.
  SELECT takes || coalesce(array_agg(x.take ORDER BY x.turn)
                           FILTER (WHERE x.take IS NOT NULL), '{{}}'),
         coalesce(array_agg(ARRAY[x.what, x.give] ORDER BY x.turn DESC)
                  FILTER (WHERE x.give IS NOT NULL), '{{}}') || gives
    INTO takes, gives FROM ({query}
    ) x (turn, what, take, give);"""
