"""Alembic's operations on indexes, safe to run again."""

from __future__ import annotations

from alembic.operations.ops import CreateIndexOp, DropIndexOp


def if_not_exists(operation: CreateIndexOp) -> None:
    """Write IF NOT EXISTS."""
    operation.if_not_exists = True


def if_exists(operation: DropIndexOp) -> None:
    """Write IF EXISTS."""
    operation.if_exists = True
