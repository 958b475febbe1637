"""The kind "table", columns included. Alembic's operations make them, ours change them."""

from __future__ import annotations

from alembic.operations import ops as alembic_ops

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.table.catalog import TableRecord, read
from pgmigrations.migrate.objects.table.ensure import (
    added,
    dropped,
    if_exists,
    if_not_exists,
    rendered,
)
from pgmigrations.migrate.objects.table.ops import ChangeTable
from pgmigrations.migrate.objects.table.partition import ChangePartitions
from pgmigrations.migrate.objects.table.phrase import phrase, with_unknown_partitions
from pgmigrations.migrate.objects.table.rename import RenameTable
from pgmigrations.migrate.objects.table.renaming import RENAMING

KIND: Kind[TableRecord] = Kind(
    name="table",
    read=read,
    ensured={
        alembic_ops.CreateTableOp: if_not_exists,
        alembic_ops.DropTableOp: if_exists,
        alembic_ops.AddColumnOp: if_not_exists,
        alembic_ops.DropColumnOp: if_exists,
    },
    implementations={alembic_ops.AddColumnOp: added, alembic_ops.DropTableOp: dropped},
    renderers={alembic_ops.CreateTableOp: rendered},
    operations=(ChangeTable, ChangePartitions, RenameTable),
    comparison=Comparison(phrase, left_open=with_unknown_partitions),
    renaming=RENAMING,
)
