"""Columns that count in another way, with their rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Identity, Integer, MetaData, Table, Text, create_engine
from sqlalchemy.pool import NullPool

from tests.support.project import Project

WAYS: dict[str, Callable[[], Column[int]]] = {
    "serial": lambda: Column("id", Integer, primary_key=True),
    "identity": lambda: Column("id", Integer, Identity(), primary_key=True),
    "plain": lambda: Column("id", Integer, primary_key=True, autoincrement=False),
}


def models(way: str) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, WAYS[way](), Column("note", Text))
    return metadata


def next_number(url: str) -> int:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        found = connection.exec_driver_sql("INSERT INTO t (note) VALUES ('x') RETURNING id")
        return int(found.scalar_one())


@pytest.mark.parametrize(
    ("before", "after"), [("serial", "identity"), ("plain", "serial"), ("plain", "identity")]
)
def test_a_column_counts_on_behind_its_rows(
    before: str, after: str, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(models(before))
    project.autogenerate("before")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (41, 'y')")
    assert project.models(models(after)).autogenerate("after") is not None
    project.upgrade()
    assert next_number(database_url) == 42
    project.downgrade()
    if before != "plain":
        assert next_number(database_url) == 43
