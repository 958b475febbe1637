"""How a difference of indexes is phrased."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.part import column_state, is_retyped
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.index.catalog import IndexRecord
from pgmigrations.migrate.objects.index.definition import Definition
from pgmigrations.migrate.objects.index.look import printed
from pgmigrations.migrate.objects.index.model import creation_of
from pgmigrations.migrate.objects.index.ops import (
    AlterIndex,
    CommentOnIndex,
    CreateIndexAs,
    DropIndex,
)
from pgmigrations.migrate.objects.index.options import DEFAULTS, options_of
from pgmigrations.migrate.objects.index.replace import ReplaceIndex


def reprinted(scratch: Connection, record: IndexRecord) -> IndexRecord:
    """Make the index once more on an empty copy of its table; unchanged where that fails."""
    definition = Definition.parse(record.definition)
    found = printed(scratch, record.schema, record.table, definition.probe)
    if found is None:
        return record
    again = Definition.parse(found)
    again = dataclasses.replace(again, table=record.table)
    return dataclasses.replace(record, definition=again.statement(record.schema, record.name))


def phrase(change: Change[IndexRecord], difference: Difference) -> list[MigrateOperation]:
    """Express a difference as operations."""
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [creation_of(after, difference) or _as_printed(after, difference)]
    if after is None:
        return [DropIndex(_as_printed(before, difference))]
    # One that is only in the way of others is the same before and after.
    if before.definition != after.definition or not before.is_valid or before == after:
        return _replacement(before, after, difference)
    return _alteration(before, after, difference)


def _as_printed(record: IndexRecord, difference: Difference) -> CreateIndexAs:
    return CreateIndexAs(
        record.name,
        record.table,
        record.definition,
        options=options_of(record) or None,
        schema=difference.scope.shown_schema(record.schema),
    )


def disturbed(difference: Difference) -> Iterator[Change[IndexRecord]]:
    """Find the indexes that stay as they are and compare columns whose types change.

    The server makes an index anew when a column of it changes, and cannot while its expression
    has one column of the new type and another of the old one.
    """
    retyped = _changing(difference, is_retyped)
    for identity, before in difference.actual.items() if retyped else ():
        after = difference.declared.get(identity)
        if identity[0] == "index" and identity not in difference.differing and after is not None:
            columns = retyped.get(before.relation, {})
            if len(columns.keys() & set(before.used_columns)) > 1:
                yield Change(before, dataclasses.replace(after, definition=before.definition))


def _changing(
    difference: Difference, is_changing: Callable[[Any, Any], bool]
) -> dict[tuple[str, str], dict[str, tuple[str, str]]]:
    """Find the columns that change so, and what they are before and after, by table."""
    found: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for identity in sorted(difference.differing):
        old, new = difference.actual.get(identity), difference.declared.get(identity)
        if identity[0] == "column" and is_changing(old, new):
            _, schema, table, name = identity
            columns = found.setdefault((schema, table), {})
            columns[name] = (column_state(old), column_state(new))
    return found


def _replacement(
    before: IndexRecord, after: IndexRecord, difference: Difference
) -> list[MigrateOperation]:
    """Make it anew; around a change of a column's type in two steps.

    The server makes the indexes of such a column anew by itself, and finds that their operator
    classes do not fit the new type. So it is with a column that becomes VIRTUAL, which no index
    may be on. Those of partitions get their names from their columns, and another index may have
    had the same ones: all of them go before any of them comes.
    """
    table = difference.actual.get(("table", *after.relation))
    changing = _changing(difference, _is_other).get(after.relation, {})
    places = [(["column", *after.relation, name], states) for name, states in changing.items()]
    operations: list[MigrateOperation] = []
    is_partitioned = getattr(table, "partition_key", "") != ""
    for step in ["drop", "create"] if changing or is_partitioned else [None]:
        operation = ReplaceIndex(
            after.name,
            after.table,
            before.definition,
            after.definition,
            old_options=options_of(before) or None,
            new_options=options_of(after) or None,
            step=step,
            schema=difference.scope.shown_schema(after.schema),
        )
        operation.since = [[*place, old] for place, (old, _) in places] or None
        operation.until = [[*place, new] for place, (_, new) in places] or None
        operations.append(operation)
    return operations


def _is_other(before: Any, after: Any) -> bool:
    if before is None or after is None:
        return False
    sorts = {one.generated.partition(" ")[0] for one in (before, after)}
    return is_retyped(before, after) or len(sorts) > 1


def _alteration(
    before: IndexRecord, after: IndexRecord, difference: Difference
) -> list[MigrateOperation]:
    schema = difference.scope.shown_schema(after.schema)
    old: dict[str, Any] = {**DEFAULTS, **options_of(before)}
    new: dict[str, Any] = {**DEFAULTS, **options_of(after)}
    changed = [key for key in new if new[key] != old[key]]
    operations: list[MigrateOperation] = []
    altered = [key for key in changed if key != "comment"]
    if altered:
        operations.append(
            AlterIndex(
                after.name,
                after.table,
                {key: new[key] for key in altered},
                existing={key: old[key] for key in altered},
                schema=schema,
            )
        )
    if "comment" in changed:
        operations.append(
            CommentOnIndex(
                after.name,
                after.comment or None,
                existing=before.comment or None,
                schema=schema,
            )
        )
    return operations
