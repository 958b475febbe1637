"""`CREATE INDEX` as SQLAlchemy writes it."""

from __future__ import annotations

from sqlalchemy import Column, Index
from sqlalchemy.schema import CreateIndex
from sqlalchemy.types import NullType

from pgmigrations.migrate.core.quoting import DIALECT


def sql(index: Index) -> str:
    """Write an index's statement; that of a revision knows no column but those of its key."""
    for name in index.dialect_options["postgresql"]["include"] or ():
        if isinstance(name, str) and index.table is not None and name not in index.table.c:
            index.table.append_column(Column(name, NullType()))
    return str(CreateIndex(index).compile(dialect=DIALECT)).strip()


def name(index: Index) -> str | None:
    """Return the name as the server gets it; None where it is the server's choice."""
    return DIALECT.identifier_preparer.format_constraint(index, _alembic_quote=False)
