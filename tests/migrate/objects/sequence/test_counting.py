"""Columns that count in another way, with their rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Identity, Integer, MetaData, Sequence, Table, Text, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.declare import renamed_from
from tests.support.project import Project
from tests.support.script import run_script

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


def with_sequence(metadata: MetaData, name: str = "t_id_seq") -> MetaData:
    Sequence(name, metadata=metadata)
    return metadata


@pytest.mark.parametrize(
    ("drawn", "expected", "is_declared"),
    [(0, 42, True), (41, 42, True), (77, 78, True), (0, 42, False)],
)
@pytest.mark.parametrize("as_sql", [False, True])
def test_a_sequence_that_was_there_counts_on_behind_the_rows(
    drawn: int, expected: int, is_declared: bool, as_sql: bool, database_url: str, tmp_path: Path
) -> None:
    plain = models("plain")
    project = Project(tmp_path / "project", database_url)
    first = project.models(with_sequence(plain) if is_declared else plain).autogenerate("before")
    assert first is not None
    project.upgrade()
    made = "" if is_declared else "CREATE SEQUENCE t_id_seq;"
    counted = f"SELECT setval('t_id_seq', {drawn});" if drawn else ""
    run_script(database_url, f"{made}{counted} INSERT INTO t VALUES (41, 'y')")
    revision = project.models(models("serial")).autogenerate("after")
    assert revision is not None
    for _ in range(2):
        if as_sql:
            run_script(database_url, project.again_sql(revision))
        else:
            project.again(revision)
    assert next_number(database_url) == expected
    # What comes by hand afterwards is no concern of a revision that is done.
    run_script(database_url, "INSERT INTO t VALUES (99, 'z')")
    project.again(revision)
    run_script(database_url, project.again_sql(revision))
    assert next_number(database_url) == expected + 1
    project.upgrade()
    assert project.check()
    project.again(revision, "downgrade")
    project.again(revision, "downgrade")
    project.again(revision)
    assert next_number(database_url) == 100


def test_a_renamed_table_counts_on_in_a_sequence_that_had_its_new_name(
    database_url: str, tmp_path: Path
) -> None:
    before, after = MetaData(), MetaData()
    Table("old", before, WAYS["serial"](), Column("note", Text))
    Table("t", after, WAYS["serial"](), Column("note", Text), info=renamed_from("old"))
    project = Project(tmp_path / "project", database_url)
    project.models(with_sequence(before)).autogenerate("before")
    project.upgrade()
    run_script(database_url, "INSERT INTO old VALUES (41, 'y')")
    assert project.models(after).autogenerate("after") is not None
    project.upgrade()
    assert next_number(database_url) == 42
    project.downgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        found = connection.exec_driver_sql("INSERT INTO old (note) VALUES ('x') RETURNING id")
        assert found.scalar_one() == 43
