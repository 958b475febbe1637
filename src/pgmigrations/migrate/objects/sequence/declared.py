"""How a difference of sequences is phrased."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.quoting import chosen_name
from pgmigrations.migrate.core.snapshot import Change, Snapshot
from pgmigrations.migrate.objects.sequence.catalog import SequenceRecord
from pgmigrations.migrate.objects.sequence.ops import (
    AlterSequence,
    CreateSequence,
    DropSequence,
)
from pgmigrations.migrate.objects.sequence.options import shortened, state


def parts(record: SequenceRecord, difference: Difference) -> Sequence[SchemaItem] | None:
    """Say that the type SERIAL makes a sequence; any other is made by itself."""
    return [] if difference.is_serial(record.owning_column) else None


def phrase(change: Change[SequenceRecord], difference: Difference) -> list[Operation]:
    """Express a difference as operations."""
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        schema = difference.scope.shown_schema(after.schema)
        is_later = bool(after.owner) and ("column", *after.owner) not in difference.actual
        made = dataclasses.replace(after, owner=()) if is_later else after
        return [
            CreateSequence(
                after.name,
                shortened(state(made)),
                schema=schema,
                frees_name=_is_identity(after, difference.declared, difference.actual),
            ),
            *_altered(made, after, schema),
        ]
    schema = difference.scope.shown_schema(before.schema)
    if after is None:
        is_earlier = bool(before.owner) and ("column", *before.owner) not in difference.declared
        left = dataclasses.replace(before, owner=()) if is_earlier else before
        return [
            *_altered(before, left, schema),
            DropSequence(
                before.name,
                existing=shortened(state(left)),
                schema=schema,
                frees_name=_is_identity(before, difference.actual, difference.declared),
            ),
        ]
    return _altered(before, after, schema)


def _altered(before: SequenceRecord, after: SequenceRecord, schema: str | None) -> list[Operation]:
    """Change an owner by itself: it may go, or come, within the same revision."""
    old, new = state(before), state(after)
    changed = [key for key in new if new[key] != old[key] and key != "owned_by"]
    owners = [list(one.owner) for one in (before, after)]
    operations: list[Operation] = []
    if changed:
        operations.append(
            AlterSequence(
                after.name,
                {key: new[key] for key in changed},
                existing={key: old[key] for key in changed},
                schema=schema,
            )
        )
    if before.owner and before.owner != after.owner:
        operations.append(
            AlterSequence(
                after.name,
                {"owned_by": []},
                existing={"owned_by": owners[0]},
                becomes={"owned_by": owners[1]} if after.owner else None,
                schema=schema,
            )
        )
    if after.owner and before.owner != after.owner:
        operations.append(
            AlterSequence(
                after.name,
                {"owned_by": owners[1]},
                existing={"owned_by": []},
                was={"owned_by": owners[0]} if before.owner else None,
                schema=schema,
            )
        )
    return operations


def _is_identity(record: SequenceRecord, here: Snapshot[Any], there: Snapshot[Any]) -> bool:
    """Tell whether an identity numbers in its place in another state, or takes its name.

    Args:
        record: The sequence.
        here: The state that it is in.
        there: The other one.
    """
    if record.owner:
        return bool(getattr(there.get(("column", *record.owner)), "identity_options", ""))
    return record.name.endswith("seq") and any(
        one.schema == record.schema and chosen_name(one.table, [one.name], "seq") == record.name
        for identity, one in there.items()
        if getattr(one, "identity_options", "") and identity in here
    )
