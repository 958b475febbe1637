"""The kind "table", columns included. Alembic compares and phrases; we make it an "ensure"."""

from __future__ import annotations

from alembic.operations import ops

from pgmigrations.migrate.core.kind import Kind
from pgmigrations.migrate.objects.table.catalog import TableRecord, read
from pgmigrations.migrate.objects.table.ensure import (
    added,
    created,
    if_exists,
    if_not_exists,
    rendered,
)

KIND: Kind[TableRecord] = Kind(
    name="table",
    read=read,
    ensured={
        ops.CreateTableOp: created,
        ops.DropTableOp: if_exists,
        ops.AddColumnOp: if_not_exists,
        ops.DropColumnOp: if_exists,
    },
    implementations={ops.AddColumnOp: added},
    renderers={ops.AddColumnOp: rendered},
)
