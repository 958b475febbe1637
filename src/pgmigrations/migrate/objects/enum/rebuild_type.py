"""The part of the rebuild that changes things: the type, its columns, what hung on them."""

from __future__ import annotations

from pgmigrations.migrate.objects.enum.rebuild_refusal import LABEL_IN_DEFINITION

# CREATE TYPE may have given privileges of its own, by ALTER DEFAULT PRIVILEGES.
MAKE_TYPE = """\
  FOREACH trouble IN ARRAY takes LOOP
    EXECUTE trouble;
  END LOOP;

  EXECUTE format('ALTER TYPE %s RENAME TO %I', full_name, 'pgm_' || type_id);
  EXECUTE format('CREATE TYPE %s AS ENUM (%s)', full_name,
    (SELECT string_agg(quote_literal(l.label), ', ' ORDER BY l.place)
     FROM unnest(new_labels) WITH ORDINALITY l (label, place)));
  FOR item IN
    SELECT pg_get_userbyid(t.typowner) AS owner, obj_description(t.oid, 'pg_type') AS remark,
           coalesce(t.typacl, acldefault('T', t.typowner)) AS privileges,
           t.typacl IS NULL AS is_default
    FROM pg_catalog.pg_type t WHERE t.oid = type_id
  LOOP
    EXECUTE format('ALTER TYPE %s OWNER TO %I', full_name, item.owner);
    IF item.remark IS NOT NULL THEN
      EXECUTE format('COMMENT ON TYPE %s IS %L', full_name, item.remark);
    END IF;
    FOR given IN
      SELECT ARRAY[format('REVOKE ALL ON TYPE %s FROM %s', full_name, who.name)]
      FROM (SELECT DISTINCT CASE p.grantee WHEN 0 THEN 'PUBLIC'
                   ELSE quote_ident(pg_get_userbyid(p.grantee)) END
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            CROSS JOIN aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) p
            WHERE n.nspname = type_schema AND t.typname = type_name
              AND NOT (item.is_default AND t.typacl IS NULL)) who (name)
      UNION ALL
      SELECT ARRAY[format('GRANT %s ON TYPE %s TO %s%s', p.privilege_type, full_name,
        CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(p.grantee)) END,
        CASE WHEN p.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)]
      FROM aclexplode(item.privileges) p
      WHERE EXISTS (SELECT FROM pg_catalog.pg_type t
                    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                    WHERE n.nspname = type_schema AND t.typname = type_name
                      AND NOT (item.is_default AND t.typacl IS NULL))
    LOOP
      EXECUTE given[1];
    END LOOP;
  END LOOP;
"""

# Array elements go by way of a text longer than any label, so that two labels can change places.
CHANGE_COLUMNS = """\
  FOR item IN
    SELECT c.oid::regclass AS relation,
      string_agg(format('ALTER COLUMN %I TYPE %s%s USING %s::%s%s', a.attname, full_name, v.suffix,
                        e.expression, full_name, v.suffix), ', ' ORDER BY a.attnum) AS changes
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    CROSS JOIN LATERAL (SELECT CASE WHEN a.atttypid = array_id THEN '[]' ELSE '' END) v (suffix)
    CROSS JOIN LATERAL (SELECT CASE
      WHEN replaced = '{}' THEN format('%I::text%s', a.attname, v.suffix)
      WHEN a.atttypid = array_id THEN
        (SELECT repeat('array_replace(', 2 * cardinality(replaced))
           || format('%I::text[]', a.attname)
           || string_agg(format(', %L, %L)', r.label, repeat('.', 64) || r.place), ''
                         ORDER BY r.place)
           || string_agg(format(', %L, %L)', repeat('.', 64) || r.place, replacements[r.place]), ''
                         ORDER BY r.place)
         FROM unnest(replaced) WITH ORDINALITY r (label, place))
      ELSE
        (SELECT format('(CASE %I::text', a.attname)
           || string_agg(format(' WHEN %L THEN %L', r.label, replacements[r.place]), '')
           || format(' ELSE %I::text END)', a.attname)
         FROM unnest(replaced) WITH ORDINALITY r (label, place))
      END) e (expression)
    WHERE a.atttypid IN (type_id, array_id) AND NOT a.attisdropped AND a.attinhcount = 0
      AND c.relkind IN ('r', 'p')
    GROUP BY c.oid ORDER BY c.oid
  LOOP
    EXECUTE format('ALTER TABLE %s %s', item.relation, item.changes);
  END LOOP;
"""

GIVE_BACK = f"""\
  IF gives <> '{{}}' THEN
    BEGIN
      FOREACH given SLICE 1 IN ARRAY gives LOOP
        EXECUTE given[2];
      END LOOP;
    EXCEPTION WHEN invalid_text_representation THEN
      RAISE EXCEPTION 'enum % cannot lose a label that % says: %', full_name, given[1], SQLERRM
        USING ERRCODE = '{LABEL_IN_DEFINITION}', DETAIL = format('%s (%s)', given[1], SQLERRM),
          HINT = 'Drop or change it first.';
    END;
    PERFORM set_config('default_tablespace', tablespace, true);
  END IF;
  EXECUTE format('DROP TYPE %I.%I', type_schema, 'pgm_' || type_id);
"""
