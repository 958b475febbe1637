"""Constraints without a name are added and taken back by the one that the server would choose."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    create_engine,
)
from sqlalchemy.pool import NullPool

from tests.contract.contract import dump
from tests.support.database import Databases
from tests.support.project import Project


def models(table: str, column: str, *, bare: bool) -> MetaData:
    metadata = MetaData()
    Table("one", metadata, Column("id", Integer, primary_key=True))
    key = [] if bare else [ForeignKey("one.id")]
    unique = [] if bare else [UniqueConstraint(column, "id")]
    Table(
        table,
        metadata,
        Column("id", Integer, primary_key=True),
        Column(column, Integer, *key),
        *unique,
    )
    return metadata


@pytest.mark.parametrize(
    ("table", "column"),
    [("two", "other"), ("t" * 60, "c" * 60), ("t" * 60, "c"), ("ü" * 30, "é" * 29 + "x")],
)
def test_an_unnamed_constraint_goes_and_comes(
    table: str, column: str, databases: Databases, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(models(table, column, bare=True))
    assert project.autogenerate("before") is not None
    project.upgrade()
    start = dump(database_url)
    assert project.models(models(table, column, bare=False)).autogenerate("after") is not None
    project.upgrade()
    with databases.fresh() as other:
        metadata = models(table, column, bare=False)
        metadata.create_all(create_engine(other, poolclass=NullPool))
        assert dump(database_url) == dump(other)
    assert project.check()
    project.downgrade()
    assert dump(database_url) == start
