"""What the server makes of the models: created in a scratch database, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.borrowed import Borrowed, borrow
from pgmigrations.migrate.core.empty_database import EmptyDatabase
from pgmigrations.migrate.core.execution import send
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.provision import UNDEFINED, first_line, provisions
from pgmigrations.migrate.core.quoting import chosen_name, identifier
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Record, Scope, Snapshot
from pgmigrations.migrate.core.state import read_states
from pgmigrations.migrate.core.types import named_types, sequences

Place: TypeAlias = tuple[str, str]

_DRIVER = PGDialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
"""Compiles as for psycopg2: names and literals have every % doubled."""
_DRIVER._backslash_escapes = False
# All of it is one transaction, in which no index can be built CONCURRENTLY; it is the same index.
_DRIVER._supports_create_index_concurrently = False

_INSUFFICIENT_PRIVILEGE = "42501"
_DUPLICATE = frozenset({"42710", "42P07"})
_OUT_OF_MEMORY = "53200"


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
        elif sqlstate == _OUT_OF_MEMORY:
            hint = (
                "All models are created in one transaction, which needs a lock for each table, "
                "index and sequence: raise max_locks_per_transaction, or set scratch_url in "
                "[pgmigrations] of alembic.ini to a server where it is higher, or to embedded "
                "where the major versions are equal"
            )
        super().__init__(
            f"The models cannot be created on this server: {message} (in: {shown[:200]})", hint
        )
        self.statement = statement
        self.sqlstate = sqlstate


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
        declared = declared_names(metadatas, scope) | _counting_names(metadatas, scope)
        borrowed = borrow(target, declared)

        def begin(borrowed: Borrowed) -> None:
            for schema in sorted(scope.schemas):
                send(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
            send(scratch, borrowed.making)

        statements = [*creation(metadatas, kinds, scope, part)]
        relation_names = partial(_relation_names, metadatas, scope)
        borrowed = _create(scratch, begin, borrowed, statements, kinds, relation_names)
        send(scratch, borrowed.returning)
        yield scratch


def declared_names(metadatas: Sequence[MetaData], scope: Scope) -> set[tuple[str, str]]:
    """Return (schema, name) of the types and sequences that the models create themselves."""
    return {
        (one.schema or scope.default_schema, one.name or "")
        for one in (*named_types(metadatas), *sequences(metadatas))
    }


def _counting_names(metadatas: Sequence[MetaData], scope: Scope) -> set[Place]:
    """Return (schema, name) of the sequences that SERIAL and identity columns get."""
    return {
        (table.schema or scope.default_schema, chosen_name(table.name, [column.name], "seq"))
        for metadata in metadatas
        for table in metadata.tables.values()
        for column in table.columns
        if column.identity is not None or column is table._autoincrement_column
    }


def _relation_names(metadatas: Sequence[MetaData], scope: Scope) -> tuple[set[Place], set[Place]]:
    """Return (schema, name) of the tables of the models, and of what they have indexes for."""
    tables: set[Place] = set()
    others: set[Place] = set()
    for metadata in metadatas:
        for table in metadata.tables.values():
            schema = table.schema or scope.default_schema
            tables.add((schema, table.name))
            others |= {(schema, str(one.name)) for one in table.indexes if one.name}
            others |= {(schema, str(one.name)) for one in table.constraints if one.name}
    return tables, others


def _create(
    scratch: Connection,
    begin: Callable[[Borrowed], None],
    borrowed: Borrowed,
    statements: list[str],
    kinds: Sequence[AnyKind],
    relation_names: Callable[[], tuple[set[Place], set[Place]]],
) -> Borrowed:
    """Send the statements; where the server lacks something, start over with what brings it.

    Returns:
        What is borrowed in the end.
    """
    while True:
        begin(borrowed)
        if _are_sent(scratch, statements):
            return borrowed
        scratch.rollback()
        begin(borrowed)
        refused = _sent(scratch, statements, borrowed)
        if refused is None:
            return borrowed
        position, error = refused
        scratch.rollback()
        statement, message = statements[position], first_line(error)
        sqlstate = getattr(error.orig, "pgcode", None)
        if sqlstate in _DUPLICATE:
            # What the target has under such a name is no longer there when this is made.
            rest = borrowed.without(*relation_names())
            if rest == borrowed:
                rest = borrowed.without_named(statement, message)
            if rest != borrowed:
                borrowed = rest
                continue
        offers: list[str] = []
        if sqlstate in UNDEFINED:
            begin(borrowed)
            _sent(scratch, statements[:position], borrowed)
            offers = provisions(scratch, statement, kinds, message)
            scratch.rollback()
        if len(offers) != 1 or offers[0] in statements:
            raise ModelsRefused(statement, message, sqlstate, offers) from error
        statements.insert(0, offers[0])


def _are_sent(scratch: Connection, statements: Sequence[str]) -> bool:
    """Send all statements at once, in one round trip; tell whether the server takes them."""
    try:
        send(scratch, "\n;\n".join(statements) or "SELECT")
    except DBAPIError:
        return False
    return True


def _sent(
    scratch: Connection, statements: Sequence[str], borrowed: Borrowed
) -> tuple[int, DBAPIError] | None:
    """Send statements up to the first that is refused.

    What is borrowed may have waited for a table of the models, and a later table for that: it is
    tried again before a statement counts as refused.
    """
    for position, statement in enumerate(statements):
        try:
            if not _is_taken(scratch, statement):
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
            statements.append(_as_sent(str(wanted.compile(dialect=_DRIVER)).strip()))

    connection = EmptyDatabase(_DRIVER, keep)
    for metadata in metadatas:
        tables = None
        if part is not None:
            some = part.whole | part.supporting
            tables = [table for table in metadata.tables.values() if place(table) in some]
        metadata.create_all(connection, tables, checkfirst=False)
    yield from statements


def _as_sent(statement: str) -> str:
    """Make one % of two, as the driver does: some of the models' words have it doubled for that."""
    try:
        return statement % {}
    except (KeyError, TypeError, ValueError) as error:
        message = "create_all() fails, too: in what SQLAlchemy passes on as it stands, % is %%"
        raise ModelsRefused(statement, message) from error


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


def read_all(connection: Connection, kinds: Sequence[AnyKind], scope: Scope) -> Snapshot[Record]:
    """Read every kind in a session of our own, in a constant number of statements.

    Planning takes several times as long as reading a database of a usual size: the plan is kept.
    """
    state, _ = read_states(connection, kinds, scope, is_kept=True)
    return state.snapshot()
