"""What the models say of the names that tables have had, and what looks like a rename."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import MetaData

from pgmigrations.migrate.core.hint import Place, RenameHint, Renaming, hints_in_tables
from pgmigrations.migrate.core.snapshot import Record, Scope, Snapshot
from pgmigrations.migrate.objects.table.catalog import TableRecord
from pgmigrations.migrate.objects.table.rename import RenameTable


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameTable:
    return RenameTable(old, new, schema=scope.shown_schema(place[0]))


def _hints(metadatas: Sequence[MetaData], scope: Scope) -> Iterable[RenameHint]:
    return hints_in_tables(
        "table", metadatas, scope, lambda table: [(table, table.name)], in_table=False
    )


def _is_like(
    gone: TableRecord, new: TableRecord, before: Snapshot[Any], after: Snapshot[Any]
) -> bool:
    """Compare the columns, their order left out."""
    columns = _columns(gone, before)
    return bool(columns) and columns == _columns(new, after)


def _columns(table: TableRecord, state: Snapshot[Any]) -> list[tuple[str, str]]:
    found: Iterable[Record] = state.values()
    place = (table.schema, table.name)
    return sorted(
        (one.name, getattr(one, "type", ""))
        for one in found
        if one.kind == "column" and one.relation == place
    )


RENAMING: Renaming[TableRecord] = Renaming(_operation, _hints, is_like=_is_like)
