"""Small models that are renamed, and what a test looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

from pgmigrations.declare import renamed_from
from tests.support.dump import schema_dump
from tests.support.project import Project


def book(*columns: SchemaItem, name: str = "book", was: str | None = None) -> sa.MetaData:
    """One table with a key of its own and whatever else."""
    metadata = sa.MetaData()
    key = sa.Column("id", sa.Integer, primary_key=True)
    info = renamed_from(was) if was else {}
    sa.Table(name, metadata, key, *columns, info=info)
    return metadata


def integer(name: str, was: str | None = None, **keywords: Any) -> sa.Column[Any]:
    """A column that may have had another name."""
    return sa.Column(name, sa.Integer, info=renamed_from(was) if was else {}, **keywords)


def number() -> sa.Column[Any]:
    """A column whose sequence no model names."""
    return sa.Column("number", sa.Integer, sa.Identity(), nullable=False)


def at(project: Project, metadata: sa.MetaData) -> None:
    """Bring the database to models."""
    assert project.models(metadata).autogenerate() is not None
    project.upgrade()


def run(project: Project, sql: str) -> list[Any]:
    """Run SQL by hand."""
    with sa.create_engine(project.url, poolclass=NullPool).begin() as connection:
        found = connection.exec_driver_sql(sql)
        return list(map(tuple, found)) if found.returns_rows else []


def body(revision: Path | None) -> str:
    """Return the upgrade of a revision, comments unwrapped."""
    assert revision is not None
    text = revision.read_text().partition("def upgrade")[2].partition("def downgrade")[0]
    return " ".join(line.strip().removeprefix("# ") for line in text.splitlines())


def dump(project: Project) -> str:
    """Dump the database, its version table left out."""
    return schema_dump(project.url, exclude_tables=["pgmigrations*"])
