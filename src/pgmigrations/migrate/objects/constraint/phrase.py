"""Which operations turn one state of a constraint into another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.constraint.add import AddConstraint, RemoveConstraint
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord
from pgmigrations.migrate.objects.constraint.index_settings import ChangeConstraintIndex
from pgmigrations.migrate.objects.constraint.look import printed_again
from pgmigrations.migrate.objects.constraint.model import said
from pgmigrations.migrate.objects.constraint.moving import MovingPart, moving
from pgmigrations.migrate.objects.constraint.replace import (
    NOT_VALID,
    CommentOnConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)


def reprinted(scratch: Connection, record: ConstraintRecord) -> ConstraintRecord:
    """Print a constraint once more; keys and foreign keys print alike from the first time on."""
    if record.sort not in ("check", "exclusion"):
        return record
    printed = printed_again(scratch, record.schema, record.table, record.definition)
    return record if printed is None else dataclasses.replace(record, definition=printed)


def phrase(change: Change[ConstraintRecord], difference: Difference) -> Sequence[MigrateOperation]:
    """Write the operations for one constraint."""
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [_added(after, difference), *_set((), after, difference)]
    if after is None:
        return [_removed(before, difference)]
    moved = moving(before, after, difference)
    if moved is not None or _rests_elsewhere(before, after):
        around = _around(before, after, moved or (), difference)
        return [*around, *_set((), after, difference)]
    if before.definition == after.definition:
        return _described(before, after, difference)
    if before.definition == after.definition + NOT_VALID:
        return _validated(before, after, difference)
    return [
        ReplaceConstraint(
            after.name,
            after.table,
            before.definition,
            said(after, difference),
            schema=difference.scope.shown_schema(after.schema),
            comment=after.comment or None,
            old_comment=before.comment or None,
        )
    ]


def _rests_elsewhere(before: ConstraintRecord, after: ConstraintRecord) -> bool:
    """Tell whether a constraint goes before others change and another comes when they have."""
    if before.sort == after.sort == "foreign key":
        ends = [(one.columns, one.referred_table, one.referred_columns) for one in (before, after)]
        return ends[0] != ends[1]
    return before.sort != after.sort


def _described(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Sequence[MigrateOperation]:
    """Change what a constraint has besides its definition."""
    operations: list[MigrateOperation] = [*_set(before.index_settings, after, difference)]
    if before.comment != after.comment:
        operations.append(_commented(before, after, difference))
    return operations


def _set(
    settings: Sequence[str], after: ConstraintRecord, difference: Difference
) -> Sequence[MigrateOperation]:
    """Change the settings of its index; those of one that is made anew are none."""
    if tuple(settings) == after.index_settings:
        return []
    schema = difference.scope.shown_schema(after.schema)
    old, new = list(settings), list(after.index_settings)
    return [ChangeConstraintIndex(after.name, after.table, old, new, schema=schema)]


def _around(
    before: ConstraintRecord,
    after: ConstraintRecord,
    moved: Sequence[MovingPart],
    difference: Difference,
) -> Sequence[MigrateOperation]:
    """Take it away before what it makes way for changes, and add it again after."""
    removed, added = _removed(before, difference), _added(after, difference)
    if before.definition != after.definition:
        removed.becomes, added.was = said(after, difference), before.definition
    since = [[*part.place, part.before] for part in moved if part.before != part.after]
    until = [[*part.place, part.after] for part in moved if part.before != part.after]
    if until:
        removed.since = added.since = since
        removed.until = added.until = until
    return [removed, added]


def _added(record: ConstraintRecord, difference: Difference) -> AddConstraint:
    return AddConstraint(
        record.name,
        record.table,
        said(record, difference),
        schema=difference.scope.shown_schema(record.schema),
        comment=record.comment or None,
    )


def _removed(record: ConstraintRecord, difference: Difference) -> RemoveConstraint:
    return RemoveConstraint(
        record.name,
        record.table,
        record.definition,
        schema=difference.scope.shown_schema(record.schema),
        comment=record.comment or None,
    )


def _validated(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> list[MigrateOperation]:
    validated = ValidateConstraint(
        after.name,
        after.table,
        schema=difference.scope.shown_schema(after.schema),
        definition=after.definition,
        comment=before.comment or None,
    )
    if before.comment == after.comment:
        return [validated]
    return [validated, _commented(before, after, difference)]


def _commented(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> CommentOnConstraint:
    return CommentOnConstraint(
        after.name,
        after.table,
        after.comment or None,
        existing=before.comment or None,
        schema=difference.scope.shown_schema(after.schema),
    )
