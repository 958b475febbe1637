"""Foreign keys that cannot be made with their table, since the other table comes later."""

from __future__ import annotations

from collections.abc import Iterable

from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateTableOp,
    DropConstraintOp,
    DropTableOp,
    MigrateOperation,
    OpContainer,
)
from sqlalchemy import ForeignKeyConstraint, Table


def take_out_cycles(container: OpContainer) -> None:
    """Let each table of a cycle be made without the key that closes it, and add the key after.

    A table would otherwise refer to one that is not there yet, or lose the key: SQLAlchemy leaves
    `use_alter=True` out of CREATE TABLE and Alembic does not come back to it. Before the tables of
    a cycle are dropped, the key is.
    """
    creating = [one for one in container.ops if isinstance(one, CreateTableOp)]
    names = [(one.schema, one.table_name) for one in creating]
    after: list[MigrateOperation] = []
    for position, operation in enumerate(creating):
        keys = _closing(_keys_of(operation.columns), set(names[position + 1 :]))
        # Compared as objects: columns make SQL of ==.
        taken = set(map(id, keys))
        operation.columns = [one for one in operation.columns if id(one) not in taken]
        after += [CreateForeignKeyOp.from_constraint(key) for key in keys]
    if after:
        last = max(container.ops.index(operation) for operation in creating)
        container.ops[last + 1 : last + 1] = after

    dropping = [one for one in container.ops if isinstance(one, DropTableOp)]
    gone: set[tuple[str | None, str]] = set()
    before: list[MigrateOperation] = []
    # A key of a table that goes later stands in the way of those that go earlier.
    for drop in dropping:
        keys = _closing(drop.to_table().foreign_key_constraints, gone)
        before += [DropConstraintOp.from_constraint(key) for key in keys if key.name]
        gone.add((drop.schema, drop.table_name))
    if before:
        first = min(container.ops.index(drop) for drop in dropping)
        container.ops[first:first] = before


def _keys_of(elements: Iterable[object]) -> list[ForeignKeyConstraint]:
    return [one for one in elements if isinstance(one, ForeignKeyConstraint)]


def _closing(
    keys: Iterable[ForeignKeyConstraint], others: set[tuple[str | None, str]]
) -> list[ForeignKeyConstraint]:
    found = [key for key in keys if key.use_alter or _target(key) in others]
    return sorted(found, key=lambda key: str(key.name))


def _target(key: ForeignKeyConstraint) -> tuple[str | None, str]:
    table: Table = key.elements[0].column.table
    return (table.schema, table.name)
