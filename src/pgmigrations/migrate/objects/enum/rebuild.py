"""The block of PL/pgSQL that gives an enumerated type another list of labels.

One text serves the connected run and `--sql` output: it finds the columns and what hangs on them
in the catalogs at the moment it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmigrations.migrate.core.quoting import do_block, literal, text_array

LABELS_IN_USE = "PGM01"
"""SQLSTATE of the exception for rows that hold a label that goes; its DETAIL has the counts."""


def rebuild_block(
    schema: str | None,
    name: str,
    old: Sequence[str],
    new: Sequence[str],
    replace: Mapping[str, str],
) -> str:
    """Write the block for one type.

    Args:
        schema: The type's schema; None for the first of the search path.
        name: The type.
        old: Its labels as they are.
        new: Its labels as they shall be.
        replace: For labels that go, those that take their place.
    """
    gone = [label for label in old if label not in new]
    declarations = f"""\
DECLARE
  type_schema text := {literal(schema) if schema else "current_schema()"};
  type_name text := {literal(name)};
  old_labels text[] := {text_array(old)};
  new_labels text[] := {text_array(new)};
  lost_labels text[] := {text_array([label for label in gone if label not in replace])};
  replaced text[] := {text_array(replace.keys())};
  replacements text[] := {text_array(replace.values())};"""
    return do_block(declarations + _BODY)


# A type that is rebuilt takes along: defaults of its columns and those that mention it; checks,
# exclusion constraints, foreign keys and indexes that mention it, since their stored expressions
# name the old type. PostgreSQL rebuilds plain indexes and keys on the columns by itself.
_BODY = """
  found text[];
  type_id oid;
  array_id oid;
  old_type text;
  new_type text;
  in_use text := '';
  number bigint;
  expression text;
  item record;
  restore text[] := '{}';
BEGIN
  SELECT t.oid, t.typarray, format('%I.%I', type_schema, type_name),
         array(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
               WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
    INTO type_id, array_id, new_type, found
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = type_schema AND t.typname = type_name AND t.typtype = 'e';
  IF found = new_labels THEN
    RETURN;
  ELSIF found IS NULL THEN
    RAISE EXCEPTION 'enum %.% does not exist', type_schema, type_name
      USING ERRCODE = 'undefined_object';
  ELSIF found <> old_labels THEN
    RAISE EXCEPTION 'enum % has the labels %, expected %', new_type, found, old_labels;
  END IF;

  FOR item IN
    SELECT c.oid::regclass AS tab, a.attname AS col, a.atttypid = array_id AS is_array
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.atttypid IN (type_id, array_id) AND NOT a.attisdropped AND a.attinhcount = 0
      AND c.relkind IN ('r', 'p')
    ORDER BY c.oid, a.attnum
  LOOP
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', item.tab);
    FOREACH expression IN ARRAY lost_labels LOOP
      EXECUTE format(
        CASE WHEN item.is_array THEN 'SELECT count(*) FROM %s WHERE $1 = ANY (%I::text[])'
             ELSE 'SELECT count(*) FROM %s WHERE %I::text = $1' END, item.tab, item.col)
        INTO number USING expression;
      IF number > 0 THEN
        in_use := in_use || format('%s%s row(s) of %s.%s hold %L',
          CASE WHEN in_use = '' THEN '' ELSE ', ' END, number, item.tab, item.col, expression);
      END IF;
    END LOOP;
  END LOOP;
  IF in_use <> '' THEN
    RAISE EXCEPTION 'enum % cannot lose labels that rows hold: %', new_type, in_use
      USING ERRCODE = 'PGM01', DETAIL = in_use,
        HINT = 'Update those rows first, or say in replace= what becomes of them.';
  END IF;

  FOR item IN
    SELECT 1 AS turn, d.adrelid::regclass AS tab,
           format('ALTER COLUMN %I DROP DEFAULT', a.attname) AS take,
           format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', d.adrelid::regclass,
                  a.attname, pg_get_expr(d.adbin, d.adrelid)) AS give
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE a.attgenerated = '' AND (a.atttypid IN (type_id, array_id) OR EXISTS (
      SELECT FROM pg_catalog.pg_depend x
      WHERE x.classid = 'pg_catalog.pg_attrdef'::regclass AND x.objid = d.oid
        AND x.refclassid = 'pg_catalog.pg_type'::regclass AND x.refobjid IN (type_id, array_id)))
    UNION ALL
    SELECT CASE k.contype WHEN 'f' THEN 0 ELSE 2 END, k.conrelid::regclass,
           format('DROP CONSTRAINT IF EXISTS %I', k.conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
                  pg_get_constraintdef(k.oid))
           || coalesce(format('; COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname,
                k.conrelid::regclass, obj_description(k.oid, 'pg_constraint')), '')
    FROM pg_catalog.pg_constraint k
    WHERE k.conrelid <> 0 AND k.coninhcount = 0 AND k.conparentid = 0 AND (
      (k.contype IN ('c', 'x') AND EXISTS (
        SELECT FROM pg_catalog.pg_depend x
        WHERE x.refclassid = 'pg_catalog.pg_type'::regclass AND x.refobjid IN (type_id, array_id)
          AND ((x.classid = 'pg_catalog.pg_constraint'::regclass AND x.objid = k.oid)
            OR (x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = k.conindid))))
      OR (k.contype = 'f' AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
          AND a.atttypid IN (type_id, array_id))))
    UNION ALL
    SELECT 3, NULL, format('DROP INDEX IF EXISTS %s', c.oid::regclass),
           pg_get_indexdef(c.oid)
           || coalesce(format('; COMMENT ON INDEX %s IS %L', c.oid::regclass,
                obj_description(c.oid, 'pg_class')), '')
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid
                      AND k.contype IN ('p', 'u', 'x'))
      AND EXISTS (
        SELECT FROM pg_catalog.pg_depend x
        WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
          AND x.refclassid = 'pg_catalog.pg_type'::regclass AND x.refobjid IN (type_id, array_id))
    ORDER BY turn
  LOOP
    IF item.tab IS NULL THEN
      EXECUTE item.take;
    ELSE
      EXECUTE format('ALTER TABLE %s%s %s', CASE item.turn WHEN 1 THEN 'ONLY ' ELSE '' END,
                     item.tab, item.take);
    END IF;
    -- Foreign keys were dropped first, and come back last.
    restore := CASE item.turn WHEN 0 THEN restore || item.give ELSE item.give || restore END;
  END LOOP;

  old_type := 'pgm_' || type_id;
  EXECUTE format('ALTER TYPE %s RENAME TO %I', new_type, old_type);
  EXECUTE format('CREATE TYPE %s AS ENUM (%s)', new_type,
    (SELECT string_agg(quote_literal(label), ', ' ORDER BY place)
     FROM unnest(new_labels) WITH ORDINALITY AS l (label, place)));
  FOR item IN
    SELECT pg_get_userbyid(t.typowner) AS owner, obj_description(t.oid, 'pg_type') AS remark
    FROM pg_catalog.pg_type t WHERE t.oid = type_id
  LOOP
    EXECUTE format('ALTER TYPE %s OWNER TO %I', new_type, item.owner);
    IF item.remark IS NOT NULL THEN
      EXECUTE format('COMMENT ON TYPE %s IS %L', new_type, item.remark);
    END IF;
  END LOOP;
  FOR item IN
    SELECT p.privilege_type AS privilege,
           CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(p.grantee)) END
             AS grantee,
           CASE WHEN p.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
    FROM pg_catalog.pg_type t, aclexplode(t.typacl) p WHERE t.oid = type_id
  LOOP
    IF item.grantee <> 'PUBLIC' THEN
      EXECUTE format('GRANT %s ON TYPE %s TO %s%s', item.privilege, new_type, item.grantee,
                     item.option);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = type_id AND t.typacl IS NOT NULL
             AND NOT EXISTS (SELECT FROM aclexplode(t.typacl) p WHERE p.grantee = 0)) THEN
    EXECUTE format('REVOKE ALL ON TYPE %s FROM PUBLIC', new_type);
  END IF;

  FOR item IN
    SELECT c.oid::regclass AS tab, string_agg(format('ALTER COLUMN %I TYPE %s%s USING %s::%s%s',
             a.attname, new_type, CASE WHEN a.atttypid = array_id THEN '[]' ELSE '' END,
             e.expression, new_type, CASE WHEN a.atttypid = array_id THEN '[]' ELSE '' END),
             ', ' ORDER BY a.attnum) AS changes
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    CROSS JOIN LATERAL (
      SELECT CASE WHEN cardinality(replaced) = 0 THEN
          format(CASE WHEN a.atttypid = array_id THEN '%I::text[]' ELSE '%I::text' END, a.attname)
        WHEN a.atttypid = array_id THEN
          -- By way of a text that no label can be, so that two labels can change places.
          (SELECT repeat('array_replace(', 2 * cardinality(replaced)) || format('%I::text[]', a.attname)
             || string_agg(format(', %L, %L)', r.label, chr(1) || r.place), '' ORDER BY r.place)
             || string_agg(format(', %L, %L)', chr(1) || r.place, replacements[r.place]), ''
                           ORDER BY r.place)
           FROM unnest(replaced) WITH ORDINALITY AS r (label, place))
        ELSE
          (SELECT format('(CASE %I::text', a.attname)
             || string_agg(format(' WHEN %L THEN %L', r.label, replacements[r.place]), '')
             || format(' ELSE %I::text END)', a.attname)
           FROM unnest(replaced) WITH ORDINALITY AS r (label, place))
        END AS expression) e
    WHERE a.atttypid IN (type_id, array_id) AND NOT a.attisdropped AND a.attinhcount = 0
      AND c.relkind IN ('r', 'p')
    GROUP BY c.oid
  LOOP
    EXECUTE format('ALTER TABLE %s %s', item.tab, item.changes);
  END LOOP;

  FOREACH expression IN ARRAY restore LOOP
    EXECUTE expression;
  END LOOP;
  EXECUTE format('DROP TYPE %I.%I', type_schema, old_type);
END"""
