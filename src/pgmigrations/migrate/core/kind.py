"""The contract between the core and the rooms: what a kind of database object brings along."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeAlias

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.hint import Renaming
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.quoting import chosen_name
from pgmigrations.migrate.core.snapshot import Change, Identity, R, Record, Scope, Snapshot

Wrapper: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
Declared: TypeAlias = Callable[[Sequence[MetaData], Scope, Snapshot[R], Snapshot[R]], Iterable[R]]


@dataclass(frozen=True)
class Difference:
    """All that differs between a database and the models, for the rooms to phrase.

    Attributes:
        scope: What was looked at.
        actual: What the database holds.
        declared: What it would hold if it were made from the models.
        metadatas: The models.
        found: What the database holds, with what is nobody's business here.
        differing: The identities of what differs, for a room that looks at its neighbours: the
            records of the rest may print differently.
        server: Where a room may ask the server what it knows, such as its casts; only to read.
    """

    scope: Scope
    actual: Snapshot[Any]
    declared: Snapshot[Any]
    metadatas: Sequence[MetaData]
    found: Snapshot[Any] = field(default_factory=dict)
    differing: frozenset[Identity] = frozenset()
    server: Connection | None = field(default=None, compare=False, repr=False)

    def table(self, schema: str, name: str) -> Table | None:
        """Find the model of a table."""
        return self._tables.get((schema, name))

    def has_table(self, schema: str, name: str) -> bool:
        """Tell whether a table is there before and after, so that it is changed, not made."""
        identity = ("table", schema, name)
        return identity in self.actual and identity in self.declared

    def declared_in(self, relation: tuple[str, str]) -> Sequence[Record]:
        """Find what is declared in a table, in the order in which it was read."""
        return self._declared_in.get(relation, ())

    def actual_in(self, relation: tuple[str, str]) -> Sequence[Record]:
        """Find what a table has, in the order in which it was read."""
        return self._actual_in.get(relation, ())

    @cached_property
    def held_columns(self) -> frozenset[tuple[str, str, str]]:
        """(schema, table, column) of those of foreign keys, and of those that keys include."""
        held: set[tuple[str, str, str]] = set()
        for state in (self.actual, self.declared):
            for one in state.values():
                held.update(one.joined_columns)
                if one.relation is not None:
                    held.update((*one.relation, name) for name in one.included_columns)
        return frozenset(held)

    def is_serial(self, place: tuple[str, ...], *, was: bool = False) -> bool:
        """Tell whether a declared column is what the type SERIAL makes.

        Args:
            place: (schema, table, column).
            was: Whether to look at the column as it was instead.
        """
        if not place:
            return False
        state = self.actual if was else self.declared
        schema, table, name = place
        if not getattr(state.get(("column", *place)), "default", ""):
            return False
        sequence = (schema, chosen_name(table, [name], "seq"))
        found = self.actual_in if was else self.declared_in
        return any(
            (one.schema, one.name) == sequence and one.owning_column == place
            for one in found((schema, table))
        )

    def stored_type(self, printed: str) -> str:
        """Look through a type to the one that its values are stored as.

        Args:
            printed: A type as the server prints it.
        """
        item = printed.removesuffix("[]")
        suffix = printed[len(item) :]
        while item in self._stored_types:
            item = self._stored_types[item]
        return item + suffix

    def reversed(self) -> Difference:
        """Turn it around; the models say nothing of the way back."""
        return Difference(
            self.scope,
            self.declared,
            self.actual,
            (),
            differing=self.differing,
            server=self.server,
        )

    @cached_property
    def _tables(self) -> dict[tuple[str, str], Table]:
        return {
            (table.schema or self.scope.default_schema, table.name): table
            for metadata in reversed(self.metadatas)
            for table in metadata.tables.values()
        }

    @cached_property
    def _stored_types(self) -> dict[str, str]:
        known = [*self.actual.values(), *self.declared.values()]
        return dict(one.stored_as for one in known if one.stored_as is not None)

    @cached_property
    def _declared_in(self) -> dict[tuple[str, str], list[Record]]:
        return _by_relation(self.declared)

    @cached_property
    def _actual_in(self) -> dict[tuple[str, str], list[Record]]:
        return _by_relation(self.actual)


def _by_relation(state: Snapshot[Any]) -> dict[tuple[str, str], list[Record]]:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in state.values():
        if record.relation is not None:
            found.setdefault(record.relation, []).append(record)
    return found


@dataclass(frozen=True)
class Comparison(Generic[R]):
    """How a kind's declared and actual records become operations.

    Attributes:
        phrase: The operations that turn one state of an object into another; empty where there
            are none, which is an error for the caller to tell.
        declared: The records that the models ask for, for what no server could understand
            differently, given what the database has and what the scratch database has that the
            models are created in; what a declaration leaves open is taken from the first. None
            for all else: then what the scratch database has is what the models ask for.
        created: SQL that makes in the scratch database what `MetaData.create_all()` does not.
        offered: Groups of statements, the likeliest first, one of which may bring what the models
            use and nobody declares, where the server lacks it.
        reprinted: Makes a record's object once more, in a scratch database that has the declared
            tables, and returns how it prints then: what the server prints at first is not always
            what it prints after a dump and restore. None where printing is a fixed point.
        left_open: Takes a record of the database and the declared one of the same object, and
            returns what is declared, with what it leaves open as the database has it.
        named: The identities that the models declare, for what is also copied into the scratch
            database from the target; of the rest, what no table uses is not declared. None where
            nothing is copied.
        parts: The elements of its table's CREATE TABLE that make a declared record: none where
            another element brings it along, None where it takes a statement of its own, as all
            records do where this is not given.
        completed: The operations for what those elements have no word for.
        brought: Tells whether the change of another object brings a change along, so that nothing
            is to be said of it.
        copied: SQL that makes a record's object in a copy of the database, for what no dump of the
            schema brings along; it may be there already.
        disturbed: Finds what stays as it is and must make way for the changes of others; it is
            phrased like a change, with both states the same. What would go with its table and
            must go before them has no state after.
    """

    phrase: Callable[[Change[R], Difference], Sequence[MigrateOperation]]
    declared: Declared[R] | None = None
    created: Callable[[Sequence[MetaData], Scope], Sequence[str]] | None = None
    offered: Callable[[Connection], Iterable[Sequence[str]]] | None = None
    reprinted: Callable[[Connection, R], R] | None = None
    left_open: Callable[[R, R], R] | None = None
    named: Callable[[Sequence[MetaData], Scope], Collection[Identity]] | None = None
    parts: Callable[[R, Difference], Sequence[SchemaItem] | None] | None = None
    completed: Callable[[R, Difference], Sequence[MigrateOperation]] | None = None
    brought: Callable[[Change[R], Difference], bool] | None = None
    copied: Callable[[R], Sequence[str]] | None = None
    disturbed: Callable[[Difference], Iterable[Change[R]]] | None = None


@dataclass(frozen=True)
class Kind(Generic[R]):
    """A kind of database object.

    Attributes:
        name: The standard term, singular.
        read: Reads its records from the catalogs, in one statement.
        operations: Its own operations.
        comparison: How autogenerate compares it; None where Alembic's own comparators do.
        renaming: How its objects get another name; None where they do not.
        performers: For own operations, what carries them out where it is not `perform`.
        ensured: How Alembic's operations on it are made safe to run again.
        implementations: Wrappers around Alembic's implementations of its own operations.
        renderers: Wrappers around Alembic's renderers of its own operations.
    """

    name: str
    read: Catalog[R]
    operations: tuple[type[Operation], ...] = ()
    comparison: Comparison[R] | None = None
    renaming: Renaming[R] | None = None
    performers: Mapping[type[Operation], Callable[[Operations, Any], None]] = field(
        default_factory=dict
    )
    ensured: Mapping[type[MigrateOperation], Callable[[Any], None]] = field(default_factory=dict)
    implementations: Mapping[type[MigrateOperation], Wrapper] = field(default_factory=dict)
    renderers: Mapping[type[MigrateOperation], Wrapper] = field(default_factory=dict)

    @property
    def is_on_server(self) -> bool:
        """Tell whether all databases of the server have its objects in common."""
        return any(one.on_server for one in self.operations)


AnyKind: TypeAlias = Kind[Any]
