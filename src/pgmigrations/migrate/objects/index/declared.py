"""How a difference of indexes is phrased."""

from __future__ import annotations

import dataclasses
from typing import Any

from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection

from pgmigrations.migrate.core.kind import Difference
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
    if before.definition != after.definition or not before.is_valid:
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


def _replacement(
    before: IndexRecord, after: IndexRecord, difference: Difference
) -> list[MigrateOperation]:
    """Make it anew; around a change of a column's type in two steps.

    The server makes the indexes of such a column anew by itself, and finds that their operator
    classes do not fit the new type.
    """
    steps = ["drop", "create"] if _has_retyped_column(after, difference) else [None]
    return [
        ReplaceIndex(
            after.name,
            after.table,
            before.definition,
            after.definition,
            old_options=options_of(before) or None,
            new_options=options_of(after) or None,
            step=step,
            schema=difference.scope.shown_schema(after.schema),
        )
        for step in steps
    ]


def _has_retyped_column(record: IndexRecord, difference: Difference) -> bool:
    return any(
        old.type != new.type
        for identity, old in difference.actual.items()
        if identity[:3] == ("column", record.schema, record.table)
        and (new := difference.declared.get(identity)) is not None
    )


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
