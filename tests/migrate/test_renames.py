"""A hint in the models makes a rename of what would be a drop and an add."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pgmigrations.declare import renamed_from
from tests.support.dump import schema_dump
from tests.support.project import Project

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def book(
    table: str = "book",
    year: str = "year",
    *elements: Any,
    was: str | None = None,
    year_was: str | None = None,
    type_: Any = sa.Integer,
    convention: dict[str, str] | None = None,
) -> sa.MetaData:
    metadata = sa.MetaData(naming_convention=convention)
    sa.Table(
        table,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, sa.Identity(), nullable=False),
        sa.Column(
            year,
            type_,
            index=True,
            unique=False,
            nullable=False,
            info=renamed_from(year_was) if year_was else {},
        ),
        sa.Column("isbn", sa.Text, unique=True),
        sa.CheckConstraint(sa.column(year) > 0, name="positive"),
        *elements,
        info=renamed_from(was) if was else {},
    )
    sa.Table(
        "page",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("book_id", sa.ForeignKey(f"{table}.id")),
    )
    return metadata


def dump(project: Project) -> str:
    return schema_dump(project.url, exclude_tables=["pgmigrations"])


def test_x(project: Project) -> None:
    project.models(book()).autogenerate()
    project.upgrade()
    r = project.models(
        book("volume", "publication_year", was="book", year_was="year", type_=sa.BigInteger)
    ).autogenerate()
    assert r
    print(r.read_text())
    project.upgrade()
    print(dump(project))
    assert project.check()
    project.downgrade()
    assert 0
