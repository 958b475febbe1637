"""What the tests of `op.replace_enum` share: a connection, the operation, what must stay equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine

from pgmigrations.migrate.objects.enum.replace import ReplaceEnum
from pgmigrations.plugin import ensure_registered
from tests.support.dump import schema_dump

OLD = ("pending", "done", "broken")
NEW = ("done", "pending")
TYPE = "CREATE TYPE status AS ENUM ('pending', 'done', 'broken')"

ensure_registered()


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    """Connect in one transaction, with SQL sent as it stands."""
    engine = create_engine(url, poolclass=NullPool, execution_options={"no_parameters": True})
    with engine.begin() as connected:
        yield connected


def execute_apart(url: str, *statements: str) -> None:
    """Execute statements that may not run in a transaction."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connected:
        for statement in statements:
            connected.exec_driver_sql(statement)


def execute(url: str, *statements: str) -> None:
    with connection(url) as connected:
        for statement in statements:
            connected.exec_driver_sql(statement)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with connection(url) as connected:
        return [tuple(row) for row in connected.exec_driver_sql(query)]


def replace_on(connected: Connection, operation: ReplaceEnum) -> None:
    Operations(MigrationContext.configure(connected)).invoke(operation)


def replace(
    url: str,
    old: Sequence[str] = OLD,
    new: Sequence[str] = NEW,
    replace: Mapping[str, str] | None = None,
    *,
    name: str = "status",
    schema: str | None = None,
    before: Sequence[str] = (),
) -> None:
    """Carry the operation out, after some statements of the same session."""
    with connection(url) as connected:
        for statement in before:
            connected.exec_driver_sql(statement)
        replace_on(connected, ReplaceEnum(name, old, new, replace=replace or {}, schema=schema))


def labels(url: str, name: str = "status", schema: str = "public") -> list[str]:
    query = (
        "SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid"
        f" WHERE t.typname = '{name}' AND t.typnamespace = '{schema}'::regnamespace"
        " ORDER BY e.enumsortorder"
    )
    return [label for (label,) in rows(url, query)]


def state(url: str) -> list[str]:
    """Everything that must stay as it was: the dump without the type's labels, and the rows.

    pg_dump leaves out who may use what (asked so) and the validity of a partition's index.
    """
    statements = schema_dump(url).split(";\n")
    kept = [s for s in statements if not s.startswith("CREATE TYPE ")]
    with connection(url) as connected:
        for query in _BESIDES:
            kept += [repr(tuple(row)) for row in connected.exec_driver_sql(query)]
        for table in connected.exec_driver_sql(_TABLES).scalars().all():
            kept += [table, *connected.exec_driver_sql(_sorted_rows(table)).scalars()]
    return kept


# By the names of columns, whose order a generated column may change.
def _sorted_rows(table: str) -> str:
    return (
        "SELECT (SELECT string_agg(format('%s=%s', key, value), ',' ORDER BY key)"
        f" FROM json_each_text(row_to_json(t))) FROM ONLY {table} t ORDER BY 1"
    )


_TABLES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1"
)

_BESIDES = (
    "SELECT typname, typowner::regrole::text,"
    " (SELECT array_agg(p::text ORDER BY p::text) FROM aclexplode("
    "   coalesce(typacl, acldefault('T', typowner))) p)::text"
    " FROM pg_type WHERE typtype = 'e' ORDER BY 1",
    "SELECT a.attrelid::regclass::text, a.attname, a.attacl::text, a.attislocal, a.attinhcount"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
    " AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2",
    "SELECT indexrelid::regclass::text, indisvalid, indisclustered, indisreplident"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
    " WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1",
    "SELECT c.relname, a.attnum, a.attstattarget FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('i', 'I')"
    " WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, convalidated, coninhcount,"
    " conislocal AND contype <> 'n', connoinherit AND contype = 'c'"
    " FROM pg_constraint WHERE conrelid <> 0 AND contype <> 't'"
    " AND connamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2",
    "SELECT typname FROM pg_type WHERE typname LIKE 'pgm%'",
)
