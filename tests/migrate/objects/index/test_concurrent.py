"""Indexes that the models want to be built CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, func
from sqlalchemy.exc import DBAPIError

from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

ONLINE = "postgresql_concurrently"
Models = Callable[[bool], MetaData]


def new(is_indexed: bool) -> MetaData:
    metadata = ordinary(True) if is_indexed else MetaData()
    Table("beside", metadata, Column("id", Integer, primary_key=True))
    return metadata


def ordinary(is_indexed: bool) -> MetaData:
    metadata = MetaData()
    table = Table("t", metadata, Column("id", Integer, primary_key=True), Column("n", Text))
    if is_indexed:
        Index("ix_n", table.c.n, unique=True, postgresql_concurrently=True)
        Index("ix_lower", func.lower(table.c.n), postgresql_concurrently=True)
    return metadata


def partitioned(is_indexed: bool) -> MetaData:
    metadata = MetaData()
    table = Table("t", metadata, Column("n", Text), postgresql_partition_by="LIST (n)")
    if is_indexed:
        Index("ix_n", table.c.n, postgresql_concurrently=True)
    return metadata


@pytest.mark.parametrize(
    ("models", "is_online"), [(new, False), (ordinary, True), (partitioned, False)]
)
def test_such_an_index_comes_and_goes_as_any_other(
    models: Models, is_online: bool, databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh() as url, databases.fresh() as offline:
        project = Project(tmp_path / "project", url)
        first = project.models(models(False)).autogenerate("before")
        project.upgrade()
        before = schema_dump(url)
        after = models(True)
        revision = project.models(after).autogenerate("after")
        assert first is not None
        assert revision is not None
        # Where nobody waits for it, the revision stays one transaction.
        assert (ONLINE in revision.read_text()) is is_online
        assert all(
            index.dialect_options["postgresql"]["concurrently"]
            for index in after.tables["t"].indexes
        )
        project.upgrade()
        project.again(revision)
        run_script(url, project.again_sql(revision))
        assert project.check()
        run_script(offline, project.sql("upgrade"))
        assert schema_dump(offline) == schema_dump(url)
        for one in (url, offline):
            run_script(one, project.sql("downgrade", f"{revision.stem}:{first.stem}"))
            project.on(one).again(revision, "downgrade")
            run_script(one, project.again_sql(revision, "downgrade"))
            assert schema_dump(one) == before
        project.on(url).upgrade()
        assert project.check()


def test_a_script_does_not_pass_over_an_index_whose_build_has_failed(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(ordinary(False))
    project.autogenerate("before")
    project.upgrade()
    project.models(ordinary(True)).autogenerate("after")
    script = project.sql("upgrade", "001_before:002_after")
    run_script(database_url, "INSERT INTO t VALUES (1, 'a'), (2, 'a')")
    with pytest.raises(DBAPIError, match="could not create unique index"):
        run_script(database_url, script)
    run_script(database_url, "DELETE FROM t WHERE id = 2")
    with pytest.raises(DBAPIError, match="DROP INDEX CONCURRENTLY"):
        run_script(database_url, script)
    run_script(database_url, "DROP INDEX CONCURRENTLY ix_n")
    run_script(database_url, script)
    assert project.check()
