"""Alembic's operations on tables and columns, safe to run again."""

from __future__ import annotations

from alembic.operations.ops import AddColumnOp, CreateTableOp, DropColumnOp, DropTableOp


def if_not_exists(operation: CreateTableOp | AddColumnOp) -> None:
    """Write IF NOT EXISTS."""
    operation.if_not_exists = True


def if_exists(operation: DropTableOp | DropColumnOp) -> None:
    """Write IF EXISTS."""
    operation.if_exists = True
