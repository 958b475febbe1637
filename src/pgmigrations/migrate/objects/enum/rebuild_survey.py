"""The part of the rebuild that looks: at the type, what hangs on it, whether rows are in the way.

It changes nothing, and refuses before it takes a lock.
"""

from __future__ import annotations

from pgmigrations.migrate.objects.enum.rebuild_refusal import (
    DEPENDANTS_IN_THE_WAY,
    LABELS_IN_USE,
    NOT_THE_OWNER,
    ROWS_HIDDEN,
)


def key(catalog: str, column: str) -> str:
    """Write the key of a catalog's row as `hanging` has it."""
    return f"concat_ws('.', 'pg_catalog.{catalog}'::regclass::oid, {column})"


def hangs(catalog: str, column: str) -> str:
    """Write the condition that a catalog's row depends on the type or on one of its columns."""
    return f"{key(catalog, column)} = ANY (hanging)"


# The condition that an entry of pg_depend leads to the type or to a column of `column_keys`.
_LEADS_HERE = """(
        (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (type_id, array_id))
        OR (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY (relation_ids)
            AND concat_ws('.', d.refobjid, d.refobjsubid) = ANY (column_keys)))"""

_FIND_TYPE = """\
    SELECT t.oid, t.typarray, t.typowner,
           array(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
                 WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
      INTO type_id, array_id, type_owner, labels
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = type_schema AND t.typname = type_name AND t.typtype = 'e';
    IF labels = new_labels THEN
      RETURN;
    ELSIF labels IS NULL THEN
      RAISE EXCEPTION 'enum % does not exist', full_name USING ERRCODE = 'undefined_object';
    ELSIF labels <> old_labels THEN
      RAISE EXCEPTION 'enum % has the labels %, expected %', full_name, labels, old_labels;
    END IF;
"""

# Of an enum that may have lost the labels already, or some of them.
_FIND_LABELS = """\
    SELECT t.oid, t.typarray, array(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
                                    WHERE e.enumtypid = t.oid AND e.enumlabel = ANY (lost_labels))
      INTO type_id, array_id, lost_labels
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = type_schema AND t.typname = type_name AND t.typtype = 'e';
"""

# A generated column depends on others by itself up to PostgreSQL 14, by its expression since.
_FIND_COLUMNS = f"""\
    SELECT coalesce(array_agg(concat_ws('.', a.attrelid, a.attnum)), '{{}}'),
           coalesce(array_agg(DISTINCT a.attrelid), '{{}}')
      INTO column_keys, relation_ids
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE a.atttypid IN (type_id, array_id) AND NOT a.attisdropped AND c.relkind IN ('r', 'p');
    generated_keys := array(
      SELECT concat_ws('.', a.attrelid, a.attnum)
      FROM pg_catalog.pg_attrdef f
      JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE a.attgenerated <> '' AND c.relkind IN ('r', 'p') AND (
        a.atttypid IN (type_id, array_id)
        OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE {_LEADS_HERE}
                   AND ((d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid)
                     OR (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = a.attrelid
                         AND d.objsubid = a.attnum)))));
    column_keys := column_keys || generated_keys;
    relation_ids := relation_ids
      || array(SELECT split_part(k, '.', 1)::oid FROM unnest(generated_keys) k);
"""

_FIND_DEPENDANTS = f"""\
    hanging := array(SELECT DISTINCT concat_ws('.', d.classid, d.objid)
                     FROM pg_catalog.pg_depend d WHERE {_LEADS_HERE});
    index_ids := array(
      SELECT i.indexrelid FROM pg_catalog.pg_index i
      WHERE {hangs("pg_class", "i.indexrelid")}
        OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
                   WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
                     AND {hangs("pg_constraint", "k.oid")}));
    -- A foreign key rests on a key's index, which may include other columns.
    hanging := hanging || array(
      SELECT {key("pg_constraint", "k.oid")} FROM pg_catalog.pg_constraint k
      WHERE k.contype = 'f' AND k.conindid = ANY (index_ids));
    table_ids := array(
      WITH RECURSIVE tree (id, depth) AS (
        SELECT used.id, 0 FROM (
          SELECT unnest(relation_ids)
          UNION SELECT f.adrelid FROM pg_catalog.pg_attrdef f
                WHERE {hangs("pg_attrdef", "f.oid")}
          UNION SELECT unnest(ARRAY[k.conrelid, k.confrelid]) FROM pg_catalog.pg_constraint k
                WHERE {hangs("pg_constraint", "k.oid")}
          UNION SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = ANY (index_ids)
          UNION SELECT s.stxrelid FROM pg_catalog.pg_statistic_ext s
                WHERE {hangs("pg_statistic_ext", "s.oid")}) used (id)
        UNION
        SELECT h.inhrelid, tree.depth + 1
        FROM tree JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.id)
      SELECT c.oid FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.id
      WHERE c.relkind IN ('r', 'p') GROUP BY c.oid ORDER BY max(depth), c.oid);
"""

# Views, functions, policies and the like are other kinds' objects, to be dropped and made again by
# operations that a reader of the revision sees. The rest of the list PostgreSQL cannot change.
_REFUSE_DEPENDANTS = f"""\
    SELECT string_agg(DISTINCT way.what, ', ' ORDER BY way.what) INTO trouble FROM (
      SELECT CASE
          WHEN r.oid IS NOT NULL
            THEN pg_describe_object('pg_catalog.pg_class'::regclass, r.ev_class, 0)
          WHEN c.oid IS NOT NULL THEN pg_describe_object(d.classid, d.objid, 0)
          ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
      FROM pg_catalog.pg_depend d
      LEFT JOIN pg_catalog.pg_rewrite r
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
      LEFT JOIN pg_catalog.pg_class c
        ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
      LEFT JOIN pg_catalog.pg_attrdef f
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
      LEFT JOIN pg_catalog.pg_constraint k
        ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
      WHERE {_LEADS_HERE}
        AND d.classid <> 'pg_catalog.pg_statistic_ext'::regclass
        AND NOT (d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = array_id)
        AND (c.oid IS NULL OR c.relkind IN ('v', 'm', 'c', 'f'))
        AND (f.oid IS NULL OR f.adrelid <> ALL (table_ids))
        AND (k.oid IS NULL OR k.conrelid = 0)
        -- The functions that make a range belong to its type.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
                        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND o.deptype = 'i'
                          AND o.classid = d.classid AND o.objid = d.objid)
      UNION ALL
      -- The columns of a partition key depend on their table.
      SELECT format('partition key of table %s', p.partrelid::regclass)
      FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = p.partrelid
      WHERE (d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_type'::regclass
             AND d.refobjid IN (type_id, array_id))
        OR (concat_ws('.', d.objid, d.objsubid) = ANY (column_keys) AND d.deptype = 'i'
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.partrelid
            AND d.refobjsubid = 0)
      UNION ALL
      SELECT format('column %I of table %s, of the row type of %s', a.attname,
                    a.attrelid::regclass, c.oid::regclass)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
      JOIN pg_catalog.pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
      JOIN pg_catalog.pg_class h ON h.oid = a.attrelid AND h.relkind IN ('r', 'p', 'm')
      WHERE c.oid = ANY (relation_ids)
      UNION ALL
      SELECT format('table %s, temporary in another session', c.oid::regclass)
      FROM pg_catalog.pg_class c
      WHERE c.oid = ANY (table_ids) AND c.relpersistence = 't'
        AND c.relnamespace <> pg_my_temp_schema()
      UNION ALL
      -- Made again on the parent, it could not be as it was.
      SELECT format('generated column %I of table %s, which it has not only from its parent',
                    a.attname, a.attrelid::regclass)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      WHERE concat_ws('.', a.attrelid, a.attnum) = ANY (generated_keys) AND a.attinhcount > 0
        AND (a.attislocal OR EXISTS (
          SELECT FROM pg_catalog.pg_inherits h
          JOIN pg_catalog.pg_attribute b ON b.attrelid = h.inhparent AND b.attname = a.attname
          JOIN pg_catalog.pg_attrdef g ON g.adrelid = b.attrelid AND g.adnum = b.attnum
          WHERE h.inhrelid = a.attrelid
            AND pg_get_expr(g.adbin, g.adrelid) <> pg_get_expr(f.adbin, f.adrelid)))
      UNION ALL
      -- PostgreSQL changes it only where all of its parents change by one command.
      SELECT format('column %I of table %s, inherited from several tables', a.attname,
                    a.attrelid::regclass)
      FROM pg_catalog.pg_attribute a
      WHERE concat_ws('.', a.attrelid, a.attnum) = ANY (column_keys) AND a.attinhcount > 1
        AND 1 < (
          WITH RECURSIVE up (id) AS (
            SELECT a.attrelid
            UNION SELECT h.inhparent FROM up JOIN pg_catalog.pg_inherits h ON h.inhrelid = up.id)
          SELECT count(*) FROM up JOIN pg_catalog.pg_attribute b
            ON b.attrelid = up.id AND b.attname = a.attname AND b.attinhcount = 0)) way (what);
    IF trouble IS NOT NULL THEN
      RAISE EXCEPTION 'enum % cannot be rebuilt while this uses it: %', full_name, trouble
        USING ERRCODE = '{DEPENDANTS_IN_THE_WAY}', DETAIL = trouble,
          HINT = 'Drop it first, and create it again afterwards.';
    END IF;
"""

_REFUSE_STRANGERS = f"""\
    SELECT string_agg(own.what, ', ') INTO trouble FROM (
      SELECT format('enum %s', full_name) WHERE NOT pg_has_role(type_owner, 'USAGE')
      UNION ALL
      SELECT format('table %s', c.oid::regclass) FROM pg_catalog.pg_class c
      WHERE c.oid = ANY (table_ids) AND NOT pg_has_role(c.relowner, 'USAGE')) own (what);
    IF trouble IS NOT NULL THEN
      RAISE EXCEPTION 'must be owner of %', trouble
        USING ERRCODE = '{NOT_THE_OWNER}', DETAIL = trouble;
    END IF;
"""

# One order for all, and no table by way of its parent, so that two rebuilds cannot deadlock.
_LOCK = """\
    IF attempt = 1 AND table_ids <> '{}' THEN
      EXECUTE (SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE',
                             string_agg(format('ONLY %s', id::regclass), ', ' ORDER BY id))
               FROM unnest(table_ids) id);
    END IF;
"""

SURVEY_AND_LOCK = f"""\
  -- Looked at once more under the locks: another run may have been here first.
  FOR attempt IN 1..2 LOOP
{_FIND_TYPE}
{_FIND_COLUMNS}
{_FIND_DEPENDANTS}
{_REFUSE_DEPENDANTS}
{_REFUSE_STRANGERS}
{_LOCK}
  END LOOP;
"""

# One pass over each table, whatever the number of its columns and of the labels.
COUNT_ROWS = f"""\
  IF lost_labels <> '{{}}' THEN
    SELECT string_agg(id::regclass::text, ', ') INTO trouble
      FROM unnest(relation_ids) id WHERE row_security_active(id);
    IF trouble IS NOT NULL THEN
      RAISE EXCEPTION 'row-level security hides rows of %', trouble
        USING ERRCODE = '{ROWS_HIDDEN}', DETAIL = trouble;
    END IF;
    trouble := NULL;
    FOR item IN
      SELECT c.oid::regclass AS relation,
        string_agg(format(CASE WHEN a.atttypid = array_id
          THEN 'SELECT DISTINCT %L, v::text FROM unnest(t.%I) v'
          ELSE 'SELECT %L, t.%I::text' END, a.attname, a.attname), ' UNION ALL ') AS held,
        string_agg(format(CASE WHEN a.atttypid = array_id
          THEN 't.%I && $1::%s[]' ELSE 't.%I = ANY ($1::%s[])' END, a.attname, full_name), ' OR ')
          AS filter
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE concat_ws('.', a.attrelid, a.attnum) = ANY (column_keys) AND a.attgenerated = ''
        AND a.attinhcount = 0
      GROUP BY c.oid ORDER BY c.oid::regclass::text
    LOOP
      EXECUTE format($count$
        SELECT string_agg(format('%%s row(s) of %%s.%%I hold %%L', x.number, $2, x.name, x.label),
                          ', ' ORDER BY x.name, array_position($1, x.label))
        FROM (SELECT u.name, u.label, count(*) AS number
              FROM %s t CROSS JOIN LATERAL (%s) u (name, label)
              WHERE (%s) AND u.label = ANY ($1) GROUP BY u.name, u.label) x
        $count$, item.relation, item.held, item.filter)
        INTO counted USING lost_labels, item.relation::text;
      trouble := coalesce(trouble || ', ' || counted, trouble, counted);
    END LOOP;
    IF trouble IS NOT NULL THEN
      RAISE EXCEPTION 'enum % cannot lose labels that rows hold: %', full_name, trouble
        USING ERRCODE = '{LABELS_IN_USE}', DETAIL = trouble,
          HINT = 'Update those rows first, or say in replace= what becomes of them.';
    END IF;
  END IF;
"""

COUNT_BEFOREHAND = f"""\
{_FIND_LABELS}
{_FIND_COLUMNS}
{COUNT_ROWS}
"""
"""The count alone, with neither locks nor what else a rebuild would refuse."""
