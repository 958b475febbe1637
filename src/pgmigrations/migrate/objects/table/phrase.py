"""How a difference of a table becomes operations."""

from __future__ import annotations

import dataclasses

from alembic.operations.ops import (
    CreateTableCommentOp,
    DropTableCommentOp,
    MigrateOperation,
)

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.table.catalog import TableRecord
from pgmigrations.migrate.objects.table.change import PROPERTIES
from pgmigrations.migrate.objects.table.creation import created
from pgmigrations.migrate.objects.table.ops import ChangeTable
from pgmigrations.migrate.objects.table.partition import ChangePartitions, shortened


def phrase(change: Change[TableRecord], difference: Difference) -> list[MigrateOperation]:
    """Express a change of a table, or the making of one; none for what cannot be changed."""
    before, after = change.before, change.after
    if after is None:
        return []
    if before is None:
        empty = dataclasses.replace(after, partitions=())
        partitions = _repartitioned(empty, after, difference) if after.partitions else []
        for operation in partitions:
            operation.with_table = True
        return [created(after, difference), *partitions]
    fields = [field.name for field in dataclasses.fields(after) if field.compare]
    names = [name for name in fields if getattr(before, name) != getattr(after, name)]
    if not names or not set(names) <= {*PROPERTIES, "partitions"}:
        return []
    schema = difference.scope.shown_schema(after.schema)
    operations: list[MigrateOperation] = []
    if "partitions" in names:
        names.remove("partitions")
        operations += _repartitioned(before, after, difference)
    if "parents" in names:
        names.remove("parents")
        operations += _adopted(before, after, schema)
    if "replica_identity" in names and _is_by_index(before, after):
        names.remove("replica_identity")
        operations += _identified(before, after, schema)
    if "comment" in names and all(map(_is_simple, (after.name, schema or ""))):
        names.remove("comment")
        operations.append(_comment(before, after, schema))
    if names:
        old, new = (
            {name: _plain(getattr(record, name)) for name in names} for record in (before, after)
        )
        operations.append(ChangeTable(after.name, old, new, schema=schema))
    return operations


def with_unknown_partitions(before: TableRecord, after: TableRecord) -> TableRecord:
    """Let a table have the partitions that it has where the models declare none of it.

    They come and go with time, made by a job or an extension, and are no part of the models then.
    Where the models declare some, they declare all.
    """
    if after.partition_key and not after.partitions:
        return dataclasses.replace(after, partitions=before.partitions)
    return after


def _adopted(before: TableRecord, after: TableRecord, schema: str | None) -> list[ChangeTable]:
    """Let go of parents before the tables change, and take others after."""
    old, new = ([list(one) for one in record.parents] for record in (before, after))
    kept = [one for one in old if one in new]
    states = [(old, kept), (kept, new)]
    return [
        ChangeTable(after.name, {"parents": one}, {"parents": other}, schema=schema)
        for one, other in states
        if one != other
    ]


def _repartitioned(
    before: TableRecord, after: TableRecord, difference: Difference
) -> list[ChangePartitions]:
    scope = difference.scope
    show: dict[str, str | None] = {scope.default_schema: None}
    # Those that stay as they are need not be said.
    both = set(before.partitions) & set(after.partitions)
    old, new = (
        [shortened(one, show) for one in record.partitions if one not in both]
        for record in (before, after)
    )
    later = {tuple(one[:2]) for one in new}
    kept = [one for one in old if tuple(one[:2]) in later]
    # Those that go free their names, which a partition of another table may take.
    gone = [one for one in old if tuple(one[:2]) not in later]
    # What is in a partition that goes is moved before.
    is_apart = not {tuple(one[4:]) for one in kept} & {tuple(one[:2]) for one in gone}
    parts = [(gone, []), (kept, new)] if gone and new and is_apart else [(old, new)]
    schema = scope.shown_schema(after.schema)
    return [ChangePartitions(after.name, *part, schema=schema) for part in parts]


def _is_by_index(*records: TableRecord) -> bool:
    return any(one.replica_identity.startswith("i") for one in records)


def _identified(before: TableRecord, after: TableRecord, schema: str | None) -> list[ChangeTable]:
    """Let go of an index, which may go, before the table changes, and take another one after."""
    old, new = ({"replica_identity": one.replica_identity} for one in (before, after))
    if not (_is_by_index(before) and _is_by_index(after)):
        return [ChangeTable(after.name, old, new, schema=schema)]
    between = {"replica_identity": "d"}
    return [
        ChangeTable(after.name, old, between, schema=schema, becomes=new),
        ChangeTable(after.name, between, new, schema=schema, was=old),
    ]


def _is_simple(name: str) -> bool:
    """Tell whether Alembic renders the name right: it puts it between quotes as it stands."""
    return repr(name) == f"'{name}'"


def _comment(
    before: TableRecord, after: TableRecord, schema: str | None
) -> CreateTableCommentOp | DropTableCommentOp:
    existing = before.comment or None
    if after.comment:
        return CreateTableCommentOp(
            after.name, after.comment, schema=schema, existing_comment=existing
        )
    return DropTableCommentOp(after.name, schema=schema, existing_comment=existing)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
