"""Labels added and removed at once: refused before anything is committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import Column, Enum, Integer, MetaData, Table, Text
from sqlalchemy.exc import DBAPIError

from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script


def models(*labels: str) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer), Column("m", Enum(*labels, name="mood")))
    return metadata


@pytest.fixture
def project(database_url: str, tmp_path: Path) -> Project:
    """A project whose rows hold the label that its next revision takes away."""
    project = Project(tmp_path / "project", database_url).models(models("low", "middle", "high"))
    assert project.autogenerate("first") is not None
    project.upgrade()
    run_script(database_url, "INSERT INTO t VALUES (1, 'middle'), (2, 'middle'), (3, 'low')")
    assert project.models(models("new", "low", "high")).autogenerate("second") is not None
    return project


def test_a_label_that_rows_hold_leaves_the_enum_as_it_was(
    project: Project, database_url: str
) -> None:
    before = schema_dump(database_url)
    with pytest.raises(CommandError, match=r"2 row\(s\) of t\.m hold 'middle'"):
        project.upgrade()
    assert schema_dump(database_url) == before
    run_script(database_url, "UPDATE t SET m = 'low'")
    project.upgrade()
    assert project.check()


def test_sql_output_leaves_the_enum_as_it_was(project: Project, database_url: str) -> None:
    before = schema_dump(database_url)
    sql = project.again_sql(project.revisions()[-1])
    with pytest.raises(DBAPIError, match=r"2 row\(s\) of t\.m hold 'middle'"):
        run_script(database_url, f"{sql}")
    assert schema_dump(database_url) == before


def test_rows_of_a_column_that_goes_are_not_in_the_way(database_url: str, tmp_path: Path) -> None:
    """Before it goes, the label that is added is committed."""
    after = MetaData()
    Table("t", after, Column("id", Integer), Column("m", Text))
    Table("u", after, Column("m", Enum("new", "low", "high", name="mood")))
    project = Project(tmp_path / "project", database_url).models(models("low", "middle", "high"))
    assert project.autogenerate("first") is not None
    project.upgrade()
    run_script(database_url, "INSERT INTO t VALUES (1, 'middle')")
    assert project.models(after).autogenerate("second") is not None
    project.upgrade()
    assert project.check()
