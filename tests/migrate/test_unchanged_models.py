"""What a comparison costs: statements, and scratch databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    event,
    text,
)
from sqlalchemy.engine import Engine, make_url

from benchmarks.proxy import relay
from tests.support.project import Project
from tests.support.script import run_script

MOST_STATEMENTS = 15


def models(tables: int) -> MetaData:
    metadata = MetaData()
    for number in range(tables):
        Table(
            f"item_{number}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("parent", ForeignKey(f"item_{max(number - 1, 0)}.id")),
            Column("mood", Enum("sad", "happy", name="mood"), server_default="sad"),
            Column("name", String(20), CheckConstraint("name IN ('a', 'b')", name=f"n{number}")),
            Index(f"ix_{number}", "name", postgresql_where=text("id > 5")),
            comment=f"Number {number}",
        )
    return metadata


@contextmanager
def counted_scratch_databases() -> Iterator[list[str]]:
    made: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("CREATE DATABASE"):
            made.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", count)


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url, settings={"cache": str(tmp_path / "cache")})


@pytest.mark.parametrize("tables", [5, 60])
def test_a_check_sends_few_statements_whatever_the_number_of_tables(
    tmp_path: Path, database_url: str, tables: int
) -> None:
    project = Project(tmp_path / "project", database_url).models(models(tables))
    project.autogenerate()
    project.upgrade()
    url = make_url(database_url)
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    with relay(str(host), int(str(port))) as between:
        through = url.set(host="127.0.0.1", port=between.port, query={})
        (project.path / "database_url").write_text(through.render_as_string(hide_password=False))
        assert project.check()
        between.clear()
        assert project.check()
    assert len(between.statements) <= MOST_STATEMENTS, between.statements
    assert between.connections == 1


def test_unchanged_models_need_no_scratch_database(project: Project) -> None:
    project.models(models(3))
    project.autogenerate()
    project.upgrade()
    assert project.check()
    with counted_scratch_databases() as made:
        assert project.models(models(3)).check()
    assert made == []


def test_a_database_restored_from_a_dump_needs_none_the_second_time(
    project: Project, database_url: str
) -> None:
    """After a restore the server prints every check in another form than from the models."""
    project.models(models(3))
    project.autogenerate()
    project.upgrade()
    for number in range(3):
        run_script(
            database_url,
            f"ALTER TABLE item_{number} DROP CONSTRAINT n{number}, ADD CONSTRAINT n{number} "
            "CHECK (((name)::text = ANY (ARRAY[('a'::character varying)::text,"
            " ('b'::character varying)::text])))",
        )
    with counted_scratch_databases() as made:
        assert project.check()
        assert len(made) == 1
        assert project.check()
    assert len(made) == 1


def test_without_a_cache_every_comparison_makes_a_scratch_database(
    tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url, settings={"cache": "off"})
    project.models(MetaData())
    with counted_scratch_databases() as made:
        assert project.check()
        assert project.check()
    assert len(made) == 2


def test_a_function_that_models_use_counts(project: Project, database_url: str) -> None:
    """It is copied into the scratch database, so another one is another understanding."""
    run_script(database_url, "CREATE FUNCTION answer() RETURNS int LANGUAGE sql RETURN 42")
    metadata = MetaData()
    Table("t", metadata, Column("n", Integer, server_default=text("answer()")))
    project.models(metadata)
    project.autogenerate()
    project.upgrade()
    assert project.check()
    run_script(database_url, "CREATE FUNCTION other() RETURNS int LANGUAGE sql RETURN 1")
    with counted_scratch_databases() as made:
        assert project.check()
    assert len(made) == 1
