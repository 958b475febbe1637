"""Checks that stand on a column of the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, create_engine
from sqlalchemy.pool import NullPool

from tests.contract.contract import dump
from tests.support.database import Databases
from tests.support.project import Project


def models(*columns: Column[Any]) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


def checked() -> MetaData:
    return models(
        Column("a", Integer, CheckConstraint("a > 0", name="apos")),
        Column("b", Integer, CheckConstraint("b > 0")),
    )


@pytest.mark.parametrize("before", [MetaData(), models()], ids=["new table", "new column"])
def test_a_columns_check_is_in_the_revision(
    before: MetaData, databases: Databases, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(before)
    if project.autogenerate("before"):
        project.upgrade()
    start = dump(database_url)
    revision = project.models(checked()).autogenerate("checks")
    assert revision is not None
    project.upgrade()
    with databases.fresh() as other:
        checked().create_all(create_engine(other, poolclass=NullPool))
        assert dump(database_url) == dump(other)
    project.again(revision)
    project.downgrade()
    assert dump(database_url) == start
