"""Alembic's `op.create_index` of an index of the models, where a revision can say it exactly."""

from __future__ import annotations

from typing import Any, ClassVar

from alembic.operations.ops import CreateIndexOp
from sqlalchemy import ClauseElement, Column, Index, literal_column, text

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import DIALECT, escape_parameters
from pgmigrations.migrate.objects.index.catalog import IndexRecord
from pgmigrations.migrate.objects.index.compiled import name, sql
from pgmigrations.migrate.objects.index.ops import CreateIndexAs, DropIndex
from pgmigrations.migrate.objects.index.options import options_of


class CreateModelIndex(CreateIndexOp):
    """Alembic's operation, whose reverse knows the definition."""

    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    record: IndexRecord

    def reverse(self) -> DropIndex:
        """Drop it again."""
        record = self.record
        return DropIndex(
            CreateIndexAs(record.name, record.table, record.definition, schema=self.schema)
        )


def creation_of(record: IndexRecord, difference: Difference) -> CreateModelIndex | None:
    """Return Alembic's operation for an index of the models; None where it is not exact."""
    table = difference.table(record.schema, record.table)
    found = [one for one in table.indexes if name(one) == record.name] if table is not None else []
    if len(found) != 1 or set(options_of(record)) - {"tablespace"} or not _is_exact(found[0]):
        return None
    operation = CreateModelIndex.from_index(found[0])
    assert isinstance(operation, CreateModelIndex)
    operation.record = record
    # Nobody waits for a table that is made with it, and the server refuses it for a partitioned
    # one: the revision stays one transaction.
    if getattr(difference.actual.get(("table", *record.relation)), "partition_key", None) != "":
        operation.kw.pop("postgresql_concurrently", None)
    return operation


def _is_exact(index: Index) -> bool:
    """Tell whether the index is the same when a revision has read back what Alembic renders.

    A revision has columns as names and other expressions as their SQL: what the models say by a
    label, by a column's key or by a column object is lost.
    """
    options = {key: _plain(value) for key, value in index.dialect_kwargs.items()}
    if any(value is _NOT_PLAIN for value in options.values()):
        return False
    operation = CreateIndexOp(
        name(index),
        index.table.name if index.table is not None else "",
        [_rendered(one) for one in index.expressions],
        schema=index.table.schema if index.table is not None else None,
        unique=index.unique,
        **options,
    )
    return sql(operation.to_index()) == sql(index)


_NOT_PLAIN = object()


def _plain(value: Any) -> Any:
    """Return a value as it is after it was rendered, or say that it cannot be."""
    if isinstance(value, ClauseElement):
        return text(escape_parameters(_compiled(value)))
    if isinstance(value, dict):
        pairs = {key: _plain(item) for key, item in value.items()}
        is_plain = all(
            isinstance(key, str) and item is not _NOT_PLAIN for key, item in pairs.items()
        )
        return pairs if is_plain else _NOT_PLAIN
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return items if all(isinstance(item, (str, int)) for item in items) else _NOT_PLAIN
    is_plain = value is None or isinstance(value, (str, bool, int, float))
    return value if is_plain else _NOT_PLAIN


def _rendered(expression: Any) -> Any:
    if isinstance(expression, Column):
        return expression.name
    if isinstance(expression, ClauseElement):
        return literal_column(_compiled(expression))
    return expression


def _compiled(expression: ClauseElement) -> str:
    options = {"literal_binds": True, "include_table": False}
    return str(expression.compile(dialect=DIALECT, compile_kwargs=options))
