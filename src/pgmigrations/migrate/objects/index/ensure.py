"""Alembic's operations on indexes, safe to run again."""

from __future__ import annotations

from alembic.operations.ops import CreateIndexOp, DropIndexOp
from sqlalchemy import text

from pgmigrations.migrate.core.quoting import escape_parameters


def if_not_exists(operation: CreateIndexOp) -> None:
    """Write IF NOT EXISTS, and the predicate so that no parameter is seen in it."""
    operation.if_not_exists = True
    where = operation.kw.get("postgresql_where")
    # Reflection hands over the server's text as a string, which is read like text().
    if isinstance(where, str) and text(where)._bindparams:
        operation.kw = {**operation.kw, "postgresql_where": text(escape_parameters(where))}


def if_exists(operation: DropIndexOp) -> None:
    """Write IF EXISTS."""
    operation.if_exists = True
