"""The query for what models may use and do not declare, as the statements that make it."""

from __future__ import annotations

# Neither an extension's, nor part of another object, such as a range type's constructors.
_UNOWNED = """NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = t.tableoid
                          AND x.objid = t.oid AND x.deptype IN ('e', 'i'))"""
_OURS = f"""n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
  AND {_UNOWNED}"""


def _member(catalog: str, text: str, owner: str) -> str:
    """Write the query for the operators or functions of an operator class or family `t`."""
    return f"""(SELECT string_agg({text}, ', ' ORDER BY m.oid) FROM {catalog} m
   JOIN pg_depend d ON d.classid = m.tableoid AND d.objid = m.oid
    AND d.refclassid = '{owner}'::regclass AND d.refobjid = t.oid AND d.deptype IN ('a', 'i'))"""


_OPERATOR = """format('OPERATOR %s %s%s', m.amopstrategy, m.amopopr::regoperator,
     (SELECT format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname) FROM pg_opfamily s
      JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = m.amopsortfamily))"""
_FUNCTION = """format('FUNCTION %s (%s, %s) %s', m.amprocnum, format_type(m.amproclefttype, NULL),
     format_type(m.amprocrighttype, NULL), m.amproc::regprocedure)"""

# Each finds (schema, name, statement that makes it, statement that takes it out again, oid); `t` is
# the object, `n` its schema. Format does the quoting. The order is that of most databases.
_QUERIES = {
    "schema": f"""
SELECT '', n.nspname, format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname), '', n.oid
FROM pg_namespace n JOIN pg_namespace t ON t.oid = n.oid WHERE {_OURS}""",
    "extension": """
SELECT '', t.extname, format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I VERSION %L CASCADE',
                             t.extname, n.nspname, t.extversion), '', t.oid
FROM pg_extension t JOIN pg_namespace n ON n.oid = t.extnamespace WHERE t.oid >= 16384""",
    # The locale of ICU is colllocale from 17, colliculocale in 15 and 16, collcollate before.
    "collation": f"""
SELECT n.nspname, t.collname, format('CREATE COLLATION %I.%I (%s)', n.nspname, t.collname,
  concat_ws(', ',
    'PROVIDER = ' || CASE t.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                                         ELSE 'libc' END,
    CASE t.collprovider WHEN 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L',
                                             t.collcollate, t.collctype)
      ELSE format('LOCALE = %L', coalesce(to_jsonb(t) ->> 'colllocale',
                                          to_jsonb(t) ->> 'colliculocale', t.collcollate)) END,
    CASE WHEN NOT t.collisdeterministic THEN 'DETERMINISTIC = false' END,
    'RULES = ' || quote_literal(to_jsonb(t) ->> 'collicurules'))), '', t.oid
FROM pg_collation t JOIN pg_namespace n ON n.oid = t.collnamespace WHERE {_OURS}""",
    "enum": f"""
SELECT n.nspname, t.typname, format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
  (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
   FROM pg_enum e WHERE e.enumtypid = t.oid)), '', t.oid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND {_OURS}""",
    "composite type": f"""
SELECT n.nspname, t.typname, format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
  (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                            CASE WHEN a.attcollation NOT IN (0, b.typcollation)
                                 THEN ' COLLATE ' || a.attcollation::regcollation END),
                     ', ' ORDER BY a.attnum)
   FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
   WHERE a.attrelid = t.typrelid AND NOT a.attisdropped)), '', t.oid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' WHERE {_OURS}""",
    "domain": f"""
SELECT n.nspname, t.typname, format('CREATE DOMAIN %I.%I AS %s%s%s%s%s; '
  'COMMENT ON DOMAIN %1$I.%2$I IS %8$L', n.nspname, t.typname,
  format_type(t.typbasetype, t.typtypmod),
  CASE WHEN t.typcollation NOT IN (0, b.typcollation)
       THEN ' COLLATE ' || t.typcollation::regcollation END,
  ' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN ' NOT NULL' END,
  (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ''
                     ORDER BY k.conname)
   FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'),
  obj_description(t.oid, 'pg_type')), '', t.oid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND {_OURS}""",
    "range type": f"""
SELECT n.nspname, t.typname, format('CREATE TYPE %I.%I AS RANGE (%s)', n.nspname, t.typname,
  concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
    'SUBTYPE_OPCLASS = ' || format('%I.%I', pn.nspname, p.opcname),
    'COLLATION = ' || nullif(r.rngcollation, 0)::regcollation,
    'CANONICAL = ' || nullif(r.rngcanonical::oid, 0)::regproc,
    'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff::oid, 0)::regproc,
    'MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, NULL))), '', t.oid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_opclass p ON p.oid = r.rngsubopc
JOIN pg_namespace pn ON pn.oid = p.opcnamespace WHERE {_OURS}""",
    # What belongs to a column comes with its table.
    "sequence": f"""
SELECT n.nspname, t.relname, format('CREATE %sSEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s '
  'MAXVALUE %s START %s CACHE %s%s; COMMENT ON SEQUENCE %2$I.%3$I IS %11$L',
  CASE t.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, n.nspname, t.relname,
  format_type(q.seqtypid, NULL), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
  CASE WHEN q.seqcycle THEN ' CYCLE' END, obj_description(t.oid, 'pg_class')),
  format('DROP SEQUENCE %I.%I', n.nspname, t.relname), t.oid
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_sequence q ON q.seqrelid = t.oid
WHERE t.relpersistence <> 't' AND {_OURS}
  AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = t.tableoid AND i.objid = t.oid
                  AND i.deptype IN ('a', 'i') AND i.refobjsubid > 0)""",
    "function": f"""
SELECT n.nspname, '', pg_get_functiondef(t.oid), '', t.oid
FROM pg_proc t JOIN pg_namespace n ON n.oid = t.pronamespace
WHERE t.prokind IN ('f', 'p', 'w') AND {_OURS}""",
    "aggregate": f"""
SELECT n.nspname, '', format('CREATE AGGREGATE %I.%I(%s) (%s)', n.nspname, t.proname,
  coalesce(nullif(pg_get_function_identity_arguments(t.oid), ''), '*'), concat_ws(', ',
    'SFUNC = ' || a.aggtransfn, 'STYPE = ' || format_type(a.aggtranstype, NULL),
    'SSPACE = ' || nullif(a.aggtransspace, 0), 'INITCOND = ' || quote_literal(a.agginitval),
    'FINALFUNC = ' || nullif(a.aggfinalfn::oid, 0)::regproc,
    CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
    'FINALFUNC_MODIFY = ' || CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
                                WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END,
    'COMBINEFUNC = ' || nullif(a.aggcombinefn::oid, 0)::regproc,
    'SERIALFUNC = ' || nullif(a.aggserialfn::oid, 0)::regproc,
    'DESERIALFUNC = ' || nullif(a.aggdeserialfn::oid, 0)::regproc,
    'MSFUNC = ' || nullif(a.aggmtransfn::oid, 0)::regproc,
    'MINVFUNC = ' || nullif(a.aggminvtransfn::oid, 0)::regproc,
    'MSTYPE = ' || format_type(nullif(a.aggmtranstype, 0), NULL),
    'MINITCOND = ' || quote_literal(a.aggminitval),
    'MFINALFUNC = ' || nullif(a.aggmfinalfn::oid, 0)::regproc,
    (SELECT format('SORTOP = OPERATOR(%I.%s)', sn.nspname, s.oprname) FROM pg_operator s
     JOIN pg_namespace sn ON sn.oid = s.oprnamespace WHERE s.oid = a.aggsortop),
    CASE a.aggkind WHEN 'h' THEN 'HYPOTHETICAL' END,
    'PARALLEL = ' || CASE t.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED'
                                        ELSE 'UNSAFE' END)), '', t.oid
FROM pg_proc t JOIN pg_namespace n ON n.oid = t.pronamespace
JOIN pg_aggregate a ON a.aggfnoid = t.oid WHERE {_OURS}""",
    "operator": f"""
SELECT n.nspname, '', format('CREATE OPERATOR %I.%s (%s)', n.nspname, t.oprname, concat_ws(', ',
    'FUNCTION = ' || t.oprcode, 'LEFTARG = ' || format_type(nullif(t.oprleft, 0), NULL),
    'RIGHTARG = ' || format_type(nullif(t.oprright, 0), NULL),
    (SELECT format('COMMUTATOR = OPERATOR(%I.%s)', sn.nspname, s.oprname) FROM pg_operator s
     JOIN pg_namespace sn ON sn.oid = s.oprnamespace WHERE s.oid = t.oprcom),
    (SELECT format('NEGATOR = OPERATOR(%I.%s)', sn.nspname, s.oprname) FROM pg_operator s
     JOIN pg_namespace sn ON sn.oid = s.oprnamespace WHERE s.oid = t.oprnegate),
    'RESTRICT = ' || nullif(t.oprrest::oid, 0)::regproc,
    'JOIN = ' || nullif(t.oprjoin::oid, 0)::regproc,
    CASE WHEN t.oprcanhash THEN 'HASHES' END, CASE WHEN t.oprcanmerge THEN 'MERGES' END)), '', t.oid
FROM pg_operator t JOIN pg_namespace n ON n.oid = t.oprnamespace
WHERE t.oprcode <> 0 AND {_OURS}""",
    "operator family": f"""
SELECT n.nspname, '', format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, t.opfname,
                             m.amname), '', t.oid
FROM pg_opfamily t JOIN pg_namespace n ON n.oid = t.opfnamespace
JOIN pg_am m ON m.oid = t.opfmethod WHERE {_OURS}""",
    "operator class": f"""
SELECT n.nspname, '', format('CREATE OPERATOR CLASS %I.%I %sFOR TYPE %s USING %I '
  'FAMILY %I.%I AS %s', n.nspname, t.opcname, CASE WHEN t.opcdefault THEN 'DEFAULT ' END,
  format_type(t.opcintype, NULL), am.amname, fn.nspname, f.opfname, concat_ws(', ',
    'STORAGE ' || format_type(coalesce(nullif(t.opckeytype, 0), t.opcintype), NULL),
    {_member("pg_amop", _OPERATOR, "pg_opclass")},
    {_member("pg_amproc", _FUNCTION, "pg_opclass")})), '', t.oid
FROM pg_opclass t JOIN pg_namespace n ON n.oid = t.opcnamespace
JOIN pg_am am ON am.oid = t.opcmethod JOIN pg_opfamily f ON f.oid = t.opcfamily
JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE {_OURS}""",
    "operator family's own members": f"""
SELECT n.nspname, '', format('ALTER OPERATOR FAMILY %I.%I USING %I ADD %s', n.nspname, t.opfname,
                             am.amname, nullif(concat_ws(', ',
    {_member("pg_amop", _OPERATOR, "pg_opfamily")},
    {_member("pg_amproc", _FUNCTION, "pg_opfamily")}), '')), '', t.oid
FROM pg_opfamily t JOIN pg_namespace n ON n.oid = t.opfnamespace
JOIN pg_am am ON am.oid = t.opfmethod
WHERE {_OURS} AND EXISTS (SELECT FROM pg_depend d
                          WHERE d.refclassid = t.tableoid AND d.refobjid = t.oid
                            AND d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass))""",
    "cast": f"""
SELECT '', '', format('CREATE CAST (%s AS %s) %s%s', format_type(t.castsource, NULL),
  format_type(t.casttarget, NULL),
  CASE t.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT'
                    ELSE 'WITH FUNCTION ' || t.castfunc::regprocedure END,
  CASE t.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END), '', t.oid
FROM pg_cast t WHERE t.oid >= 16384 AND {_UNOWNED}""",
    "text search dictionary": f"""
SELECT n.nspname, '', format('CREATE TEXT SEARCH DICTIONARY %I.%I (TEMPLATE = %I.%I%s)',
  n.nspname, t.dictname, sn.nspname, s.tmplname, ', ' || t.dictinitoption), '', t.oid
FROM pg_ts_dict t JOIN pg_namespace n ON n.oid = t.dictnamespace
JOIN pg_ts_template s ON s.oid = t.dicttemplate
JOIN pg_namespace sn ON sn.oid = s.tmplnamespace WHERE {_OURS}""",
    "text search configuration": f"""
SELECT n.nspname, '', format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)%s',
  n.nspname, t.cfgname, sn.nspname, s.prsname,
  (SELECT string_agg(format('; ALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s',
                            n.nspname, t.cfgname, m.alias, m.dictionaries), '')
   FROM (SELECT k.alias, string_agg(c.mapdict::regdictionary::text, ', ' ORDER BY c.mapseqno)
         FROM pg_ts_config_map c JOIN ts_token_type(t.cfgparser) k ON k.tokid = c.maptokentype
         WHERE c.mapcfg = t.oid GROUP BY k.alias) m (alias, dictionaries))), '', t.oid
FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace
JOIN pg_ts_parser s ON s.oid = t.cfgparser
JOIN pg_namespace sn ON sn.oid = s.prsnamespace WHERE {_OURS}""",
}

BORROWED = (
    "SELECT schema, name, statement, undone FROM ("
    + "\nUNION ALL\n".join(
        f"SELECT {place} AS place, q.* FROM ({query}) AS q (schema, name, statement, undone, id)"
        for place, query in enumerate(_QUERIES.values())
    )
    + ") AS objects ORDER BY place, id"
)
"""(schema, name, statement that makes it, statement that takes it out again where nothing uses it)
of all that is neither of initdb nor of an extension nor a relation, sequences apart."""
