"""Names that pass from what goes to what comes, and the order that this asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from alembic.operations.ops import (
    CreateIndexOp,
    CreateTableOp,
    DropIndexOp,
    DropTableOp,
    MigrateOperation,
    OpContainer,
)
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from pgmigrations.migrate.core.operation import (
    RELATION,
    TYPE,
    IrreversibleOperation,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase

Phased: TypeAlias = tuple[Phase, MigrateOperation]


def handed_over(ordered: Sequence[Phased]) -> list[Phased]:
    """Let go what has a name before that is made which gets it; most often nothing is to do.

    Tables, partitions, indexes and sequences of a schema share their names, and so do its tables
    and types. What comes must wait for what goes, but a column for its type and sequence, and a
    type for the last column of it: a table goes early, and a new type or sequence waits for that;
    or a type or sequence goes as soon as no column needs it, and new tables wait.

    Args:
        ordered: Operations in their order, each with its phase.
    """
    awaited: dict[Name, int] = {}
    for position, (_, operation) in enumerate(ordered):
        for name in _awaited(operation):
            awaited.setdefault(name, position)
    phases: dict[int, Phase] = {}
    for position, (phase, operation) in enumerate(ordered if awaited else ()):
        before = [awaited[name] for name in _freed(operation) if name in awaited]
        waiting = [one for one in before if one < position]
        if not waiting:
            continue
        if _drops_table(operation) or phase < Phase.FREE_NAME:
            phases |= _early(ordered, position, min(waiting))
        else:
            phases |= _late(ordered, position, waiting)
    changed = [(phases.get(position, one[0]), one[1]) for position, one in enumerate(ordered)]
    return sorted(changed, key=lambda one: one[0])


def _awaited(operation: MigrateOperation) -> Iterable[Name]:
    return operation.awaits() if isinstance(operation, Operation) else _taken(operation)


def _taken(operation: MigrateOperation) -> Iterator[Name]:
    """Yield the names that an operation takes for what it makes."""
    if isinstance(operation, Operation):
        yield from operation.takes()
    elif isinstance(operation, CreateIndexOp):
        if operation.index_name:
            yield (RELATION, operation.schema, str(operation.index_name))
    elif isinstance(operation, CreateTableOp):
        yield (RELATION, operation.schema, operation.table_name)
        yield (TYPE, operation.schema, operation.table_name)
        for one in operation.columns:
            if isinstance(one, _WITH_INDEX) and one.name:
                yield (RELATION, operation.schema, str(one.name))
    elif isinstance(operation, OpContainer):
        for inner in operation.ops:
            yield from _taken(inner)


_WITH_INDEX = (PrimaryKeyConstraint, UniqueConstraint, ExcludeConstraint)


def _freed(operation: MigrateOperation) -> Iterator[Name]:
    """Yield the names that an operation frees, which are those that its reverse takes."""
    # A project's own operations are none of these, and say nothing of names.
    if isinstance(operation, _FREEING) and not any(True for _ in _taken(operation)):
        try:
            backwards = operation.reverse()
        except (IrreversibleOperation, ValueError):
            # One that was written by hand may not know what was before.
            return
        yield from _taken(backwards)


_FREEING = (Operation, DropTableOp, DropIndexOp)


def _early(ordered: Sequence[Phased], position: int, first: int) -> dict[int, Phase]:
    """Let tables go early, and types and sequences wait for what goes early."""
    phases: dict[int, Phase] = {}
    for other, (phase, operation) in enumerate(ordered):
        if _drops_table(operation) and _drops_table(ordered[position][1]):
            phases[other] = Phase.FREE_NAME
        elif other >= first and phase < Phase.FREE_NAME and any(True for _ in _taken(operation)):
            phases[other] = Phase.TAKE_NAME
    return phases


def _late(ordered: Sequence[Phased], position: int, waiting: Sequence[int]) -> dict[int, Phase]:
    """Let types and sequences go once no column needs them, and new tables wait for that."""
    phases: dict[int, Phase] = {}
    made = {(one.schema, one.table_name) for _, one in ordered if isinstance(one, CreateTableOp)}
    for other, (phase, operation) in enumerate(ordered):
        if Phase.NARROW_TYPE < phase <= ordered[position][0]:
            phases[other] = Phase.FREE_USED_NAME
        elif phase < Phase.FREE_USED_NAME and (
            other in waiting or (phase >= Phase.TABLE and _place(operation) in made)
        ):
            phases[other] = Phase.TAKE_USED_NAME
    return phases


def _drops_table(operation: MigrateOperation) -> bool:
    if isinstance(operation, Operation):
        return operation.drops_table
    return isinstance(operation, DropTableOp)


def _place(operation: MigrateOperation) -> tuple[str | None, str | None]:
    """Return the schema and the name of the table that an operation is about."""
    name = getattr(operation, "table_name", getattr(operation, "table", None))
    return (getattr(operation, "schema", None), name)
