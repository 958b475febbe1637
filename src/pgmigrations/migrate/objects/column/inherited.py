"""Columns that a table has from the tables that it inherits from.

What happens to a column happens to those that inherit it, too, by the same statement (manual, 5.11
Inheritance), and the server refuses most of it on them alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.column.catalog import ColumnRecord

# The others stay with the one that they are said of.
_PASSED_ON = ("type", "collation", "default", "not_null", "generated", "storage")


def brought(change: Change[ColumnRecord], difference: Difference) -> bool:
    """Tell whether the change of an inherited column comes along with its parent's."""
    before, after = change.before, change.after
    if before is not None and after is not None:
        if not (before.is_inherited and after.is_inherited):
            return False
        return without_brought(before, after, difference) == after
    if not change.record.is_inherited or change.record.is_local:
        return False
    # It comes, or goes, with one that does.
    return any(
        (one.before is None, one.after is None) == (before is None, after is None)
        for one in _origins(change.record, difference)
    )


def without_brought(
    before: ColumnRecord, after: ColumnRecord, difference: Difference
) -> ColumnRecord:
    """Return a column as it is once the changes that come from its parents are made."""
    done = {
        name: getattr(after, name)
        for one in _origins(after, difference)
        for name in _PASSED_ON
        if one.before is not None
        and one.after is not None
        and getattr(one.before, name) != getattr(one.after, name)
        and getattr(one.after, name) == getattr(after, name)
    }
    return dataclasses.replace(before, **done)


def _origins(record: ColumnRecord, difference: Difference) -> Iterator[Change[ColumnRecord]]:
    table = ("table", *record.relation)
    states = (difference.actual, difference.declared)
    parents = [set(getattr(state.get(table), "parents", ())) for state in states]
    for schema, name in parents[0] & parents[1]:
        origin = ("column", schema, name, record.name)
        if origin in difference.differing:
            yield Change(*(state.get(origin) for state in states))
