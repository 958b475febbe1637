"""The kind "index". Alembic compares and phrases; we make it an "ensure"."""

from __future__ import annotations

from alembic.operations import ops

from pgmigrations.migrate.core.kind import Kind
from pgmigrations.migrate.objects.index.catalog import IndexRecord, read
from pgmigrations.migrate.objects.index.ensure import if_exists, if_not_exists

KIND: Kind[IndexRecord] = Kind(
    name="index",
    read=read,
    ensured={ops.CreateIndexOp: if_not_exists, ops.DropIndexOp: if_exists},
)
