"""Alembic's operations and ours, for revisions: `from pgmigrations import op`.

The functions work while a revision runs. `op.pyi` beside this file has their signatures; it is
written by `scripts/write_op_stub.py`.
"""

from __future__ import annotations

from typing import Any

import alembic.op
from sqlalchemy.types import UserDefinedType

from pgmigrations.plugin import ensure_callable


class _SqlType(UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, definition: str) -> None:
        self.definition = definition

    def get_col_spec(self, **kw: Any) -> str:
        return self.definition


def sql_type(definition: str) -> UserDefinedType[Any]:
    """Write a column's type as SQL, where SQLAlchemy has no class for it.

    Example:
        op.add_column("place", sa.Column("area", op.sql_type("geometry(POLYGON,4326)")))

    Args:
        definition: The type as `CREATE TABLE` takes it, quoted where it must be.
    """
    return _SqlType(definition)


def __getattr__(name: str) -> Any:
    """Find every operation where Alembic installs it while a revision runs."""
    return getattr(alembic.op, name)


def __dir__() -> list[str]:
    return sorted({*dir(alembic.op), "sql_type"})


ensure_callable()
