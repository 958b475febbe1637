"""Enums that no model declares: which of them are proposed for dropping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Enum, Integer, MetaData, String, Table, create_engine
from sqlalchemy.pool import NullPool

from tests.support.project import Project
from tests.support.script import run_script

CREATE = "CREATE TYPE mood AS ENUM ('low', 'high')"

USERS = {
    "composite type": "CREATE TYPE pair AS (a mood, b integer)",
    "domain that a view needs": "CREATE DOMAIN good AS mood; CREATE VIEW v AS SELECT 'low'::good",
    "domain of another schema": "CREATE SCHEMA other; CREATE DOMAIN other.good AS mood",
    "function's argument": "CREATE FUNCTION f(mood) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "function's result": "CREATE FUNCTION f() RETURNS mood[] LANGUAGE sql AS 'SELECT NULL::mood[]'",
    "view": "CREATE VIEW v AS SELECT 'low'::mood AS m",
    "range": "CREATE TYPE moods AS RANGE (SUBTYPE = mood)",
    "table of another schema": "CREATE SCHEMA other; CREATE TABLE other.t (m mood)",
    "foreign table": "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; "
    "CREATE FOREIGN TABLE far (m mood) SERVER s",
}


def models(*columns: Column[Any]) -> MetaData:
    metadata = MetaData()
    if columns:
        Table("t", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


@pytest.mark.parametrize("user", USERS)
def test_an_enum_that_something_else_needs_is_left_alone(
    user: str, database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, f"{CREATE}; {USERS[user]}")
    assert Project(tmp_path / "project", database_url).autogenerate() is None


def test_an_enum_of_a_table_that_include_object_refuses_is_left_alone(
    database_url: str, tmp_path: Path
) -> None:
    run_script(
        database_url,
        f"{CREATE}; CREATE TABLE theirs (id integer PRIMARY KEY, m mood DEFAULT 'low', ms mood[]);"
        "CREATE INDEX ON theirs (id) WHERE m = 'low'",
    )
    env = (Project(tmp_path / "plain", database_url).path / "alembic" / "env.py").read_text()
    refusing = env.replace(
        "configure_arguments(metadata",
        "configure_arguments(metadata, "
        "include_object=lambda object, name, type_, *_: name != 'theirs'",
    )
    assert refusing != env
    assert Project(tmp_path / "refusing", database_url, env=refusing).autogenerate() is None


@pytest.mark.parametrize(
    "domain", ["AS mood", "AS mood[]", "AS text CHECK (VALUE::mood <> 'low')"], ids=repr
)
def test_an_enum_goes_with_the_domain_that_needs_it(
    domain: str, database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, f"{CREATE}; CREATE DOMAIN good {domain}")
    project = Project(tmp_path / "project", database_url)
    assert project.autogenerate() is not None
    project.upgrade()
    assert project.check()
    project.downgrade()
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        names = connection.exec_driver_sql("SELECT 'good'::regtype, 'mood'::regtype").one()
    assert tuple(names) == ("good", "mood")


def test_an_enum_that_nothing_needs_is_dropped(database_url: str, tmp_path: Path) -> None:
    run_script(database_url, CREATE)
    project = Project(tmp_path / "project", database_url)
    revision = project.autogenerate()
    assert revision is not None
    assert "op.drop_enum('mood')" in revision.read_text()
    project.upgrade()
    assert project.check()


@pytest.mark.parametrize(
    "after", [models(), models(Column("other", Integer)), models(Column("m", String))], ids=repr
)
def test_an_enum_goes_with_what_used_it(after: MetaData, database_url: str, tmp_path: Path) -> None:
    column: Column[Any] = Column(
        "m", Enum("low", "high", name="mood"), server_default="low", index=True
    )
    project = Project(tmp_path / "project", database_url).models(models(column))
    assert project.autogenerate("first") is not None
    project.upgrade()
    revision = project.models(after).autogenerate("second")
    assert revision is not None
    assert "op.drop_enum('mood')" in revision.read_text()


def test_an_enum_of_a_partitioned_table_goes_with_it(database_url: str, tmp_path: Path) -> None:
    run_script(
        database_url,
        f"{CREATE}; CREATE TABLE whole (m mood NOT NULL) PARTITION BY LIST (m);"
        "CREATE TABLE part PARTITION OF whole FOR VALUES IN ('low')",
    )
    revision = Project(tmp_path / "project", database_url).autogenerate()
    assert revision is not None
    assert "op.drop_enum('mood')" in revision.read_text()
