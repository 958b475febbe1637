"""What models use and do not declare, copied into the scratch database from the target."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.snapshot import Scope

# Each yields statements; the order is that of their dependencies. Format does the quoting.
_STATEMENTS = (
    """
SELECT '', e.extname, format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I VERSION %L CASCADE',
              e.extname, n.nspname, e.extversion)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.oid >= 16384 ORDER BY e.oid
""",
    """
SELECT n.nspname, t.typname, format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
              (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
               FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname = ANY(:schemas) AND {unowned}
""",
    """
SELECT n.nspname, t.typname, format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
              (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
                                 ', ' ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = t.typrelid AND NOT a.attisdropped))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE n.nspname = ANY(:schemas) AND {unowned}
ORDER BY t.oid
""",
    """
SELECT n.nspname, t.typname, format('CREATE DOMAIN %I.%I AS %s%s%s%s', n.nspname, t.typname,
              format_type(t.typbasetype, t.typtypmod),
              CASE WHEN t.typdefault IS NULL THEN '' ELSE ' DEFAULT ' || t.typdefault END,
              CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
              coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', k.conname,
                                                 pg_get_constraintdef(k.oid)), '')
                        FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), ''))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname = ANY(:schemas) AND {unowned}
ORDER BY t.oid
""",
    """
SELECT n.nspname, '', pg_get_functiondef(t.oid)
FROM pg_proc t JOIN pg_namespace n ON n.oid = t.pronamespace
WHERE t.prokind IN ('f', 'p', 'w') AND n.nspname = ANY(:schemas) AND {unowned}
ORDER BY t.oid
""",
)
_UNOWNED = "NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = t.oid AND x.deptype = 'e')"


def borrowed_digest() -> str:
    """Write an expression: a digest of all that `borrow` would copy.

    Its parameters are `schemas` and `declared_types`, JSON arrays of the schema and name of the
    types that the models create themselves.
    """
    parts = " UNION ALL ".join(f"({query})" for query in _STATEMENTS)
    return f"""
SELECT encode(sha256(convert_to(coalesce(string_agg(b.statement, chr(10)), ''), 'UTF8')), 'hex')
FROM ({parts.format(unowned=_UNOWNED)}) AS b (schema, name, statement)
WHERE json_build_array(b.schema, b.name)::text <> ALL(:declared_types)"""


def borrow(
    target: Connection, scratch: Connection, scope: Scope, declared: set[tuple[str, str]]
) -> None:
    """Copy what can be copied; what cannot (a function on tables that are not there) is left out.

    A model that uses something that was left out is refused by the server when it is created, by
    name.

    Args:
        target: Where the objects are.
        scratch: Where they are copied to.
        scope: The schemas that are looked at.
        declared: (schema, name) of the types that the models create themselves.
    """
    # Bodies speak of tables that come later.
    scratch.exec_driver_sql("SET LOCAL check_function_bodies = off")
    for query in _STATEMENTS:
        found = target.execute(
            text(query.format(unowned=_UNOWNED)), {"schemas": sorted(scope.schemas)}
        )
        for schema, name, statement in found.all():
            if (schema, name) in declared:
                continue
            savepoint = scratch.begin_nested()
            try:
                scratch.exec_driver_sql(statement, execution_options={"no_parameters": True})
            except DBAPIError:
                savepoint.rollback()
            else:
                savepoint.commit()
