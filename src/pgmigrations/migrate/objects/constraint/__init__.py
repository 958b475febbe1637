"""The kind "constraint". Alembic compares and phrases; we make it an "ensure"."""

from __future__ import annotations

from alembic.operations import ops

from pgmigrations.migrate.core.kind import Kind
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord, read
from pgmigrations.migrate.objects.constraint.ensure import (
    dropped,
    guarded,
    if_exists,
    if_not_exists,
    rendered,
)

KIND: Kind[ConstraintRecord] = Kind(
    name="constraint",
    read=read,
    ensured={
        ops.CreateForeignKeyOp: if_not_exists,
        ops.CreateUniqueConstraintOp: if_not_exists,
        ops.CreateCheckConstraintOp: if_not_exists,
        ops.DropConstraintOp: if_exists,
    },
    implementations={ops.AddConstraintOp: guarded, ops.DropConstraintOp: dropped},
    renderers={
        ops.CreateForeignKeyOp: rendered,
        ops.CreateUniqueConstraintOp: rendered,
        ops.CreateCheckConstraintOp: rendered,
    },
)
