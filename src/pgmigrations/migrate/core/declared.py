"""What the server makes of the models: created in a scratch database, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, create_mock_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ExecutableDDLElement

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.borrowed import Borrowed, borrow
from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.quoting import DIALECT, identifier
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Record, Scope, Snapshot, snapshot
from pgmigrations.migrate.core.types import named_types, sequences

_INSUFFICIENT_PRIVILEGE = "42501"


class ModelsRefused(PgMigrationsError):
    """The server does not create what the models say."""

    def __init__(self, statement: str, message: str, sqlstate: str | None = None) -> None:
        shown = " ".join(statement.split())
        hint = "Correct the model, or apply the revision that makes what it uses"
        if sqlstate == _INSUFFICIENT_PRIVILEGE:
            hint = (
                "The scratch database that the models are created in needs this right, too: use "
                "another role, or set scratch_url in [pgmigrations] of alembic.ini to a server "
                "where it is given, or to embedded where the major versions are equal"
            )
        super().__init__(
            f"The models cannot be created on this server: {message} (in: {shown[:200]})", hint
        )
        self.statement = statement


@contextmanager
def declared_database(
    target: Connection,
    metadatas: Sequence[MetaData],
    kinds: Sequence[AnyKind],
    scope: Scope,
    scratch_url: str = "",
) -> Iterator[Connection]:
    """Create everything that the models declare in a scratch database beside the target.

    What they use and do not declare (extensions, types and functions that hand-written revisions
    have made) is copied from the target first. All of it is one open transaction.

    Args:
        target: The connected database; it is only read.
        metadatas: The models.
        kinds: The list of `pgmigrations.migrate.kinds`.
        scope: The schemas that the models name.
        scratch_url: As in the settings.

    Raises:
        NoScratchDatabase: The role may not create a database.
        ModelsRefused: The server does not create what the models say, and why.
    """
    with scratch_database(target, scratch_url) as scratch:
        for schema in sorted(scope.schemas):
            send(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
        borrowed = borrow(target, scratch, declared_names(metadatas, scope))
        _create(scratch, borrowed, list(creation(metadatas, kinds, scope)))
        send(scratch, borrowed.returning)
        yield scratch


def declared_names(metadatas: Sequence[MetaData], scope: Scope) -> set[tuple[str, str]]:
    """Return (schema, name) of the types and sequences that the models create themselves."""
    found: set[tuple[str, str]] = set()
    for one in (*named_types(metadatas), *sequences(metadatas)):
        found.add((one.schema or scope.default_schema, one.name or ""))
    return found


def _create(scratch: Connection, borrowed: Borrowed, statements: Sequence[str]) -> None:
    """Send all at once; one by one where that fails.

    What is borrowed may have waited for a table of the models, and a later table for that.
    """
    if _succeeds(scratch, "\n;\n".join(statements)):
        return
    for statement in statements:
        if _succeeds(scratch, statement):
            continue
        send(scratch, borrowed.making)
        try:
            send(scratch, statement)
        except DBAPIError as error:
            message = str(error.orig).partition("\n")[0]
            sqlstate = getattr(error.orig, "pgcode", None)
            raise ModelsRefused(statement, message, sqlstate) from error


def _succeeds(scratch: Connection, sql: str) -> bool:
    savepoint = scratch.begin_nested()
    try:
        if sql:
            send(scratch, sql)
    except DBAPIError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def creation(
    metadatas: Sequence[MetaData], kinds: Sequence[AnyKind], scope: Scope
) -> Iterator[str]:
    """Yield the SQL that creates everything that the models declare."""
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.created is not None:
            yield from kind.comparison.created(metadatas, scope)
    statements: list[str] = []

    def keep(element: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        statements.append(str(element.compile(dialect=DIALECT)).strip())

    engine = create_mock_engine("postgresql+psycopg2://", keep)
    for metadata in metadatas:
        metadata.create_all(engine, checkfirst=False)
    yield from statements


def read_all(connection: Connection, kinds: Sequence[AnyKind], scope: Scope) -> Snapshot[Record]:
    """Read every kind, in a constant number of statements, as both sides of a comparison are."""
    with pinned(connection):
        return snapshot(record for kind in kinds for record in kind.read(connection, scope))


def send(connection: Connection, sql: str) -> None:
    """Send a statement as it stands."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
