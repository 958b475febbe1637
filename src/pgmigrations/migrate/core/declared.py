"""What the server makes of the models: created in a scratch database, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ExecutableDDLElement

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.borrowed import Borrowed, borrow
from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.empty_database import EmptyDatabase
from pgmigrations.migrate.core.execution import send
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.provision import UNDEFINED, first_line, provisions
from pgmigrations.migrate.core.quoting import DIALECT, identifier
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Record, Scope, Snapshot, snapshot
from pgmigrations.migrate.core.types import named_types, sequences

_INSUFFICIENT_PRIVILEGE = "42501"


class ModelsRefused(PgMigrationsError):
    """The server does not create what the models say."""

    def __init__(
        self,
        statement: str,
        message: str,
        sqlstate: str | None = None,
        offers: Sequence[str] = (),
    ) -> None:
        shown = " ".join(statement.split())
        hint = "Correct the model, or apply the revision that makes what it uses"
        if offers:
            hint = f"Declare which one it shall be: {' or '.join(offers)}"
        elif sqlstate == _INSUFFICIENT_PRIVILEGE:
            hint = (
                "The scratch database that the models are created in needs this right, too: use "
                "another role, or set scratch_url in [pgmigrations] of alembic.ini to a server "
                "where it is given, or to embedded where the major versions are equal"
            )
        super().__init__(
            f"The models cannot be created on this server: {message} (in: {shown[:200]})", hint
        )
        self.statement = statement
        self.sqlstate = sqlstate


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
        borrowed = borrow(target, declared_names(metadatas, scope))

        def begin() -> None:
            for schema in sorted(scope.schemas):
                send(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
            send(scratch, borrowed.making)

        _create(scratch, begin, borrowed, [*creation(metadatas, kinds, scope)], kinds)
        send(scratch, borrowed.returning)
        yield scratch


def declared_names(metadatas: Sequence[MetaData], scope: Scope) -> set[tuple[str, str]]:
    """Return (schema, name) of the types and sequences that the models create themselves."""
    return {
        (one.schema or scope.default_schema, one.name or "")
        for one in (*named_types(metadatas), *sequences(metadatas))
    }


def _create(
    scratch: Connection,
    begin: Callable[[], None],
    borrowed: Borrowed,
    statements: list[str],
    kinds: Sequence[AnyKind],
) -> None:
    """Send the statements; where the server lacks something, start over with what brings it."""
    while True:
        begin()
        if _sent(scratch, statements) is None:
            return
        scratch.rollback()
        begin()
        refused = _sent(scratch, statements, borrowed)
        if refused is None:
            return
        position, error = refused
        scratch.rollback()
        statement, message = statements[position], first_line(error)
        sqlstate = getattr(error.orig, "pgcode", None)
        offers: list[str] = []
        if sqlstate in UNDEFINED:
            begin()
            _sent(scratch, statements[:position], borrowed)
            offers = provisions(scratch, statement, kinds, message)
            scratch.rollback()
        if len(offers) != 1 or offers[0] in statements:
            raise ModelsRefused(statement, message, sqlstate, offers) from error
        statements.insert(0, offers[0])


def _sent(
    scratch: Connection, statements: Sequence[str], borrowed: Borrowed | None = None
) -> tuple[int, DBAPIError] | None:
    """Send statements up to the first that is refused.

    What is borrowed may have waited for a table of the models, and a later table for that: where
    it is given, it is tried again before a statement counts as refused.
    """
    for position, statement in enumerate(statements):
        try:
            if borrowed is None or not _is_taken(scratch, statement):
                if borrowed is not None:
                    send(scratch, borrowed.making)
                send(scratch, statement)
        except DBAPIError as error:
            return position, error
    return None


def _is_taken(scratch: Connection, statement: str) -> bool:
    savepoint = scratch.begin_nested()
    try:
        send(scratch, statement)
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

    connection = EmptyDatabase(DIALECT, keep)
    for metadata in metadatas:
        metadata.create_all(connection, checkfirst=False)
    yield from statements


def read_all(connection: Connection, kinds: Sequence[AnyKind], scope: Scope) -> Snapshot[Record]:
    """Read every kind, in a constant number of statements, as both sides of a comparison are."""
    with pinned(connection):
        return snapshot(record for kind in kinds for record in kind.read(connection, scope))
