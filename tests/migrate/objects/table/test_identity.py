"""An identity column that a table gets from which others inherit, with rows in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table, create_engine
from sqlalchemy.pool import NullPool

from tests.support.project import Project
from tests.support.script import run_script

ROWS = "INSERT INTO one VALUES (1); INSERT INTO child VALUES (2)"
COUNTING_DOWN = Identity(always=True, start=-5, increment=-5, minvalue=-100, maxvalue=-5)


def models(identity: Identity | None, *, partitioned: bool = False) -> MetaData:
    metadata = MetaData()
    table = Table("one", metadata, Column("number", Integer))
    if identity is not None:
        table.append_column(Column("it's", BigInteger, identity))
    if partitioned:
        table.dialect_options["postgresql"]["partition_by"] = "LIST (number)"
    else:
        Table("child", metadata, Column("other", Integer), postgresql_inherits="one")
    return metadata


def sql(url: str, select: str) -> Sequence[Any]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.exec_driver_sql(select).scalars().all()


@pytest.fixture
def project(database_url: str, tmp_path: Path) -> Project:
    project = Project(tmp_path / "project", database_url).models(models(None))
    project.autogenerate("before")
    project.upgrade()
    run_script(database_url, ROWS)
    return project


@pytest.mark.parametrize("is_script", [False, True])
def test_rows_of_all_tables_are_numbered_and_it_counts_on(
    project: Project, is_script: bool
) -> None:
    project.models(models(COUNTING_DOWN))
    revision = project.autogenerate("after")
    assert revision is not None
    if is_script:
        run_script(project.url, project.again_sql(revision) * 2)
        project.run("stamp", "head")
    else:
        project.upgrade()
        project.again(revision)
    assert project.check()
    assert sql(project.url, """SELECT "it's" FROM one ORDER BY number""") == [-5, -10]
    assert sql(project.url, """INSERT INTO one VALUES (3) RETURNING "it's" """) == [-15]
    project.downgrade()
    assert sql(project.url, "SELECT number FROM one ORDER BY 1") == [1, 2, 3]


def test_rows_of_partitions_are_numbered(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(models(None, partitioned=True))
    project.autogenerate("before")
    project.upgrade()
    run_script(
        database_url,
        "CREATE TABLE child PARTITION OF one DEFAULT; INSERT INTO one VALUES (1), (2)",
    )
    project.models(models(Identity(), partitioned=True))
    project.autogenerate("after")
    project.upgrade()
    assert project.check()
    assert sql(project.url, """SELECT "it's" FROM one ORDER BY number""") == [1, 2]
    assert sql(project.url, """INSERT INTO one VALUES (3) RETURNING "it's" """) == [3]


def counted(identity: Identity) -> MetaData:
    metadata = MetaData()
    Table("it's", metadata, Column("number", Integer), Column("Id", BigInteger, identity))
    return metadata


LIMITED = {
    "below": (Identity(minvalue=-1000), Identity(), 1, 2),
    "above and spent": (Identity(start=500), Identity(maxvalue=100, cycle=True), 1, 2),
    "counting down": (
        Identity(start=-1, increment=-1),
        Identity(start=-50, increment=-1, maxvalue=-50, minvalue=-100),
        -50,
        -51,
    ),
    "within": (Identity(), Identity(minvalue=-5, start=-5), 2, 3),
}


@pytest.mark.parametrize("is_script", [False, True])
@pytest.mark.parametrize(("before", "after", "up", "down"), LIMITED.values(), ids=LIMITED)
def test_a_position_outside_new_limits_becomes_the_nearest(
    before: Identity,
    after: Identity,
    up: int,
    down: int,
    is_script: bool,
    database_url: str,
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "project", database_url).models(counted(before))
    project.autogenerate("before")
    project.upgrade()
    draw = """INSERT INTO "it's" VALUES (1) RETURNING "Id" """
    sql(database_url, draw)
    revision = project.models(counted(after)).autogenerate("after")
    assert revision is not None
    if is_script:
        run_script(database_url, project.again_sql(revision) * 2)
        project.run("stamp", "head")
    else:
        project.upgrade()
        project.again(revision)
    assert project.check()
    assert sql(database_url, draw) == [up]
    project.downgrade()
    assert sql(database_url, draw) == [down]
