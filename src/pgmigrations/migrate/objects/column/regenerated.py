"""Generated columns around a change of the columns that they are made of.

The server changes no column that a generated one uses (manual, ALTER TABLE, SET DATA TYPE). So the
generated one becomes a plain column first, with everything on it left in place, and is generated
again when the others are as they shall be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from alembic.operations.ops import AddColumnOp, DropColumnOp

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.snapshot import Change, Snapshot
from pgmigrations.migrate.objects.column.catalog import ColumnRecord, definition_of
from pgmigrations.migrate.objects.column.removal import DropColumn


class AddGenerated(AddColumnOp):
    """Alembic's operation, after the columns that the new one is made of have changed."""

    phase = Phase.GENERATE

    def reverse(self) -> DropColumnOp:
        """Drop it again."""
        return DropGenerated(self)


class DropGenerated(DropColumn):
    """Alembic's operation, before the columns that the old one is made of change."""

    phase = Phase.RELEASE


def released(record: ColumnRecord) -> ColumnRecord:
    """Return a generated column as it is while others change."""
    return dataclasses.replace(record, generated="")


def moving(
    before: ColumnRecord, after: ColumnRecord, difference: Difference
) -> dict[str, list[str]]:
    """Find what a generated column is made of, before or after, and what changes.

    Returns:
        Name, definition before and definition after of each; empty where none changes, or where
        the column is not generated both before and after.
    """
    if not (before.generated and after.generated):
        return {}
    found = {}
    for name in sorted({*before.made_of, *after.made_of}):
        identity = ("column", before.schema, before.table, name)
        states = (difference.actual.get(identity), difference.declared.get(identity))
        old, new = map(definition_of, states)
        if old != new:
            found[name] = [old, new]
    return found


def is_made_of(record: ColumnRecord, state: Snapshot[ColumnRecord]) -> bool:
    """Tell whether a generated column uses a column."""
    return any(
        record.name in one.made_of
        for identity, one in state.items()
        if identity[:3] == ("column", record.schema, record.table)
    )


def resting(change: Change[ColumnRecord], difference: Difference) -> Iterator[Change[ColumnRecord]]:
    """Find the generated columns that stay as they are while a column that they use changes.

    Each is yielded for one of the columns that it uses only.
    """
    record = change.record
    for identity, before in difference.actual.items():
        if identity[:3] != ("column", record.schema, record.table):
            continue
        after = difference.declared.get(identity)
        if after is None or identity in difference.differing:
            continue
        changing = moving(before, after, difference)
        if changing and min(changing) == record.name:
            yield Change(before, after)
