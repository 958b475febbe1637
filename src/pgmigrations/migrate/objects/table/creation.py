"""How a table is made: as its model says, else as the server prints it."""

from __future__ import annotations

from typing import Any

from alembic.operations.ops import CreateTableOp
from sqlalchemy import Table
from sqlalchemy.sql import quoted_name

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import qualified
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
        **(_printed(record) if model is None else _said(model, record)),
        **_inheriting(record, difference),
    )


_PARTITION_BY = "postgresql_partition_by"


class _Qualified(quoted_name):
    """A name that is quoted already, and rendered as such: SQLAlchemy takes it for one name."""

    def __repr__(self) -> str:
        return f"sa.quoted_name({str(self)!r}, False)"


def _inheriting(record: TableRecord, difference: Difference) -> dict[str, Any]:
    if not record.parents:
        return {}
    parents = [
        name
        if difference.scope.shown_schema(schema) is None
        else _Qualified(qualified(schema, name), False)
        for schema, name in record.parents
    ]
    return {"postgresql_inherits": parents}


def _said(model: Table, record: TableRecord) -> dict[str, Any]:
    """Return what the model says of itself and a revision can say, too."""
    said = dict(model.kwargs)
    if "%" in str(said.get(_PARTITION_BY, "")):
        # A model has it doubled, for the driver.
        said[_PARTITION_BY] = record.partition_key
    plain = {
        key: value
        for key, value in said.items()
        if _is_plain(value) and key != "postgresql_inherits"
    }
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
        words[_PARTITION_BY] = record.partition_key
    return words
