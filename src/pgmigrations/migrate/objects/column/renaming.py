"""What the models say of the names that columns have had, and what looks like a rename."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import MetaData

from pgmigrations.migrate.core.hint import Place, RenameHint, Renaming, hints_in_tables
from pgmigrations.migrate.core.snapshot import Scope, Snapshot
from pgmigrations.migrate.objects.column.catalog import ColumnRecord
from pgmigrations.migrate.objects.column.rename import RenameColumn


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameColumn:
    schema, table = place
    return RenameColumn(table, old, new, schema=scope.shown_schema(schema))


def _hints(metadatas: Sequence[MetaData], scope: Scope) -> Iterable[RenameHint]:
    return hints_in_tables(
        "column",
        metadatas,
        scope,
        lambda table: [(one, one.name) for one in table.columns if "info" in vars(one)],
    )


def _is_like(
    gone: ColumnRecord, new: ColumnRecord, before: Snapshot[Any], after: Snapshot[Any]
) -> bool:
    return gone.type == new.type


RENAMING: Renaming[ColumnRecord] = Renaming(_operation, _hints, is_like=_is_like)
