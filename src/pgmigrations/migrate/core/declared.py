"""What the server makes of the models: created in a scratch database, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, MetaData, Table, create_mock_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.borrowed import borrow
from pgmigrations.migrate.core.catalog import send
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.quoting import DIALECT, identifier
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Scope, Snapshot
from pgmigrations.migrate.core.state import read_states
from pgmigrations.migrate.core.types import enums

Place: TypeAlias = tuple[str, str]

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


@dataclass(frozen=True)
class Part:
    """Some tables of the models, by (schema, name).

    Attributes:
        whole: Those that are created with all that is in them.
        supporting: Those that the others refer to, created without their own foreign keys.
    """

    whole: frozenset[Place]
    supporting: frozenset[Place]


@contextmanager
def declared_database(
    target: Connection,
    metadatas: Sequence[MetaData],
    kinds: Sequence[AnyKind],
    scope: Scope,
    scratch_url: str = "",
    part: Part | None = None,
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
        part: The tables that are created; None for all.

    Raises:
        NoScratchDatabase: The role may not create a database.
        ModelsRefused: The server does not create what the models say, and why.
    """
    with scratch_database(target, scratch_url) as scratch:
        for schema in sorted(scope.schemas):
            send(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
        borrow(target, scratch, scope, declared_types(metadatas, scope))
        _create(scratch, list(creation(metadatas, kinds, scope, part)))
        yield scratch


def declared_types(metadatas: Sequence[MetaData], scope: Scope) -> set[Place]:
    """Return (schema, name) of the enums that the models create themselves."""
    return {(type_.schema or scope.default_schema, type_.name or "") for type_ in enums(metadatas)}


def creation(
    metadatas: Sequence[MetaData],
    kinds: Sequence[AnyKind],
    scope: Scope,
    part: Part | None = None,
) -> Iterator[str]:
    """Yield the SQL that creates everything that the models declare, or a part of it."""
    yield from created_by_kinds(metadatas, kinds, scope)
    statements: list[str] = []

    def place(table: Table) -> Place:
        return (table.schema or scope.default_schema, table.name)

    def keep(element: ExecutableDDLElement, *_: Any, **__: Any) -> None:
        wanted: ExecutableDDLElement | None = element
        if part is not None:
            wanted = _supporting(element, lambda table: place(table) in part.supporting)
        if wanted is not None:
            statements.append(str(wanted.compile(dialect=DIALECT)).strip())

    engine = create_mock_engine("postgresql+psycopg2://", keep)
    for metadata in metadatas:
        tables = None
        if part is not None:
            wanted = part.whole | part.supporting
            tables = [table for table in metadata.tables.values() if place(table) in wanted]
        metadata.create_all(engine, tables, checkfirst=False)
    yield from statements


def created_by_kinds(
    metadatas: Sequence[MetaData], kinds: Sequence[AnyKind], scope: Scope
) -> Iterator[str]:
    """Yield the SQL that makes what `MetaData.create_all()` does not."""
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.created is not None:
            yield from kind.comparison.created(metadatas, scope)


def _supporting(
    element: ExecutableDDLElement, is_supporting: Callable[[Table], bool]
) -> ExecutableDDLElement | None:
    """Leave of a supporting table what a foreign key may rest on."""
    item = getattr(element, "element", None)
    table = item if isinstance(item, Table) else getattr(item, "table", None)
    if not isinstance(table, Table) or not is_supporting(table):
        return element
    if isinstance(element, CreateTable):
        return CreateTable(table, include_foreign_key_constraints=[])
    if isinstance(element, CreateIndex) and element.element.unique:
        return element
    return None


def _create(scratch: Connection, statements: Sequence[str]) -> None:
    """Send all at once; one by one only to say which of them the server refuses."""
    savepoint = scratch.begin_nested()
    try:
        if statements:
            send(scratch, "\n;\n".join(statements))
    except DBAPIError:
        savepoint.rollback()
    else:
        savepoint.commit()
        return
    for statement in statements:
        try:
            send(scratch, statement)
        except DBAPIError as error:
            message = str(error.orig).partition("\n")[0]
            sqlstate = getattr(error.orig, "pgcode", None)
            raise ModelsRefused(statement, message, sqlstate) from error


def read_all(connection: Connection, kinds: Sequence[AnyKind], scope: Scope) -> Snapshot[Any]:
    """Read every kind, in a constant number of statements, as both sides of a comparison are."""
    state, _ = read_states(connection, kinds, scope)
    return state.snapshot()
