"""The contract between the core and the rooms: what a kind of database object brings along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection, MetaData

from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, R, Scope, Snapshot

Wrapper: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Comparison(Generic[R]):
    """How a kind's declared and actual records become operations.

    Attributes:
        declared: The records that the models ask for.
            What a declaration leaves open is taken from the actual record of the same identity.
        phrase: The operations that turn one state of an object into another.
    """

    declared: Callable[[Sequence[MetaData], Scope, Snapshot[R]], Iterable[R]]
    phrase: Callable[[Change[R], Scope], Sequence[Operation]]


@dataclass(frozen=True)
class Kind(Generic[R]):
    """A kind of database object.

    Attributes:
        name: The standard term, singular.
        read: Reads its records from the catalogs, in a constant number of statements.
        operations: Its own operations.
        comparison: How autogenerate compares it; None where Alembic's own comparators do.
        performers: For own operations, what carries them out where it is not `perform`.
        ensured: How Alembic's operations on it are made safe to run again.
        implementations: Wrappers around Alembic's implementations of its own operations.
        renderers: Wrappers around Alembic's renderers of its own operations.
    """

    name: str
    read: Callable[[Connection, Scope], Iterable[R]]
    operations: tuple[type[Operation], ...] = ()
    comparison: Comparison[R] | None = None
    performers: Mapping[type[Operation], Callable[[Operations, Any], None]] = field(
        default_factory=dict
    )
    ensured: Mapping[type[MigrateOperation], Callable[[Any], None]] = field(default_factory=dict)
    implementations: Mapping[type[MigrateOperation], Wrapper] = field(default_factory=dict)
    renderers: Mapping[type[MigrateOperation], Wrapper] = field(default_factory=dict)


AnyKind: TypeAlias = Kind[Any]
