"""How a table is made: as its model says, else as the server prints it."""

from __future__ import annotations

from typing import Any

from alembic.operations.ops import CreateTableOp
from sqlalchemy import Table

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.whole_table import CreateTable
from pgmigrations.migrate.objects.table.catalog import TableRecord


def created(record: TableRecord, difference: Difference) -> CreateTableOp:
    """Return the operation that makes a table, without what is in it."""
    model = difference.table(record.schema, record.name)
    return CreateTable(
        record.name,
        [],
        schema=difference.scope.shown_schema(record.schema),
        _namespace_metadata=model.metadata if model is not None else None,
        _constraints_included=True,
        comment=record.comment or None,
        **(_printed(record) if model is None else _said(model)),
    )


def _said(model: Table) -> dict[str, Any]:
    """Return what the model says of itself and a revision can say, too."""
    plain = {key: value for key, value in model.kwargs.items() if _is_plain(value)}
    return {"prefixes": [str(one) for one in model._prefixes], **plain}


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, (str, bool, int, float))


def _printed(record: TableRecord) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if record.persistence == "u":
        words["prefixes"] = ["UNLOGGED"]
    if record.partition_key:
        words["postgresql_partition_by"] = record.partition_key
    return words
