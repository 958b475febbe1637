"""Which operations turn one state of a constraint into another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Change, Identity, Snapshot
from pgmigrations.migrate.objects.constraint.add import AddConstraint, RemoveConstraint
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord
from pgmigrations.migrate.objects.constraint.look import printed_again
from pgmigrations.migrate.objects.constraint.model import said
from pgmigrations.migrate.objects.constraint.replace import (
    NOT_VALID,
    CommentOnConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)

# A column that differs in one of these cannot be changed below a constraint in every case.
COLUMN_PROPERTIES = ("type", "not_null", "generated", "collation")
KEYS = ("primary key", "unique")


def reprinted(scratch: Connection, record: ConstraintRecord) -> ConstraintRecord:
    """Print a constraint once more; keys and foreign keys print alike from the first time on."""
    if record.sort not in ("check", "exclusion"):
        return record
    printed = printed_again(scratch, record.schema, record.table, record.definition)
    return record if printed is None else dataclasses.replace(record, definition=printed)


def phrase(change: Change[ConstraintRecord], difference: Difference) -> Sequence[MigrateOperation]:
    """Write the operations for one constraint, with those for foreign keys that rest upon it."""
    before, after = change.before, change.after
    if before is not None and after is not None:
        if before.definition == after.definition:
            return [_commented(before, after, difference)]
        if before.definition == after.definition + NOT_VALID:
            return _validated(before, after, difference)
    resting = list(_resting(change, difference))
    removals = [_removed_around(key, change, difference) for key in resting]
    additions = [_added_around(key, change, difference) for key in resting]
    return [*removals, *_changed(change, difference), *additions]


def _changed(
    change: Change[ConstraintRecord], difference: Difference
) -> Sequence[MigrateOperation]:
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [_added(after, difference)]
    if after is None:
        return [_removed(before, difference)]
    if _is_apart(before, after, difference):
        return [_removed(before, difference, after), _added(after, difference, before)]
    return [
        ReplaceConstraint(
            after.name,
            after.table,
            before.definition,
            said(after, difference),
            schema=difference.scope.shown_schema(after.schema),
            comment=after.comment or None,
            old_comment=before.comment or None,
            before_tables=_is_used_by_whole_tables(after, difference.declared, difference),
            after_tables=_is_used_by_whole_tables(before, difference.actual, difference),
        )
    ]


def _added(
    record: ConstraintRecord, difference: Difference, before: ConstraintRecord | None = None
) -> AddConstraint:
    return AddConstraint(
        record.name,
        record.table,
        said(record, difference),
        schema=difference.scope.shown_schema(record.schema),
        comment=record.comment or None,
        was=before.definition if before is not None else None,
        until=_retyped(before, record, difference) if before is not None else None,
        before_tables=_is_used_by_whole_tables(record, difference.declared, difference),
    )


def _removed(
    record: ConstraintRecord, difference: Difference, after: ConstraintRecord | None = None
) -> RemoveConstraint:
    return RemoveConstraint(
        record.name,
        record.table,
        record.definition,
        becomes=said(after, difference) if after is not None else None,
        until=_retyped(record, after, difference) if after is not None else None,
        schema=difference.scope.shown_schema(record.schema),
        comment=record.comment or None,
        after_tables=_is_used_by_whole_tables(record, difference.actual, difference),
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


def _is_apart(before: ConstraintRecord, after: ConstraintRecord, difference: Difference) -> bool:
    """Tell whether the old one must go before the tables change, and the new one come after.

    That is so where a column of it changes, comes or goes, or the key that a foreign key rests on.
    """
    columns = {*before.columns, *after.columns}
    if any(_column_differs(after, name, difference) for name in columns):
        return True
    return after.sort == "foreign key" and any(
        _differs(key, difference) for key in (_key(before), _key(after))
    )


def _retyped(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> dict[str, list[str]] | None:
    """Find the columns whose types change below a constraint, and what they are before and after.

    The words of a check may mean the one thing before and the other after.
    """
    found = {}
    for name in dict.fromkeys((*before.columns, *after.columns)):
        identity = ("column", after.schema, after.table, name)
        states = (difference.actual.get(identity), difference.declared.get(identity))
        old, new = (getattr(record, "type", "") for record in states)
        if old != new:
            found[name] = [old, new]
    return found or None


def _column_differs(record: ConstraintRecord, name: str, difference: Difference) -> bool:
    identity = ("column", record.schema, record.table, name)
    actual, declared = difference.actual.get(identity), difference.declared.get(identity)
    return any(
        getattr(actual, one, None) != getattr(declared, one, None) for one in COLUMN_PROPERTIES
    )


def _key(record: ConstraintRecord) -> Identity:
    return ("constraint", *record.referred_table, record.referred_key)


def _differs(identity: Identity, difference: Difference) -> bool:
    actual, declared = difference.actual.get(identity), difference.declared.get(identity)
    return getattr(actual, "definition", None) != getattr(declared, "definition", None)


def _foreign_keys(
    state: Snapshot[ConstraintRecord], key: ConstraintRecord
) -> Iterator[ConstraintRecord]:
    """Find the foreign keys that rest upon a key in one state."""
    if key.sort not in KEYS:
        return
    for one in state.values():
        if one.kind == "constraint" and one.sort == "foreign key" and _key(one) == key.identity:
            yield one


def _resting(
    change: Change[ConstraintRecord], difference: Difference
) -> Iterator[ConstraintRecord]:
    """Find the foreign keys that stay as they are and rest upon what changes, before or after.

    One that rests upon another key after than before goes with the one before, if that changes.
    """
    for state, record in (
        (difference.actual, change.before),
        (difference.declared, change.after),
    ):
        for one in _foreign_keys(state, record) if record is not None else ():
            actual = difference.actual.get(one.identity)
            declared = difference.declared.get(one.identity)
            if actual is None or declared is None or actual.definition != declared.definition:
                continue
            if state is difference.actual or not _differs(_key(actual), difference):
                yield one


def _removed_around(
    key: ConstraintRecord, change: Change[ConstraintRecord], difference: Difference
) -> RemoveConstraint:
    removed = _removed(key, difference)
    removed.unless = _place_of(change, change.after)
    removed.readded_unless = _place_of(change, change.before)
    return removed


def _added_around(
    key: ConstraintRecord, change: Change[ConstraintRecord], difference: Difference
) -> AddConstraint:
    added = _added(key, difference)
    added.unless = _place_of(change, change.before)
    return added


def _place_of(change: Change[ConstraintRecord], record: ConstraintRecord | None) -> Sequence[str]:
    known = change.after or change.before
    assert known is not None
    definition = record.definition if record is not None else ""
    return [known.schema, known.table, known.name, definition]


def _is_used_by_whole_tables(
    record: ConstraintRecord, state: Snapshot[ConstraintRecord], difference: Difference
) -> bool:
    """Tell whether tables that come or go whole refer to a key of columns that stay."""
    if any(_column_differs(record, name, difference) for name in record.columns):
        return False
    return any(not difference.has_table(*one.relation) for one in _foreign_keys(state, record))
