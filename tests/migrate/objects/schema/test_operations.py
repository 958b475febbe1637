"""Schemas: made where the models name them, dropped where nothing would be lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, text
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.objects.schema.catalog import find, read
from pgmigrations.migrate.objects.schema.ops import CreateSchema, DropSchema
from pgmigrations.plugin import ensure_registered
from tests.support.project import Project
from tests.support.script import run_script

ensure_registered()


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


def run(connection: Connection, *operations: Operation) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def billing() -> MetaData:
    metadata = MetaData()
    Table("invoice", metadata, Column("id", Integer, primary_key=True), schema="billing")
    return metadata


def schemas(url: str) -> set[str]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        names = text("SELECT nspname FROM pg_namespace WHERE oid >= 16384")
        return set(connection.execute(names).scalars())


def test_a_schema_is_created_and_dropped_once(connection: Connection) -> None:
    scope = Scope("public", frozenset({"public", "billing"}))
    run(connection, CreateSchema("billing"), CreateSchema("billing"))
    assert [record.name for record in read(connection, scope)] == ["billing"]
    run(connection, DropSchema("billing"), DropSchema("billing"))
    assert find(connection, "billing") is None


@pytest.mark.parametrize(
    "thing",
    [
        "CREATE TABLE billing.old ()",
        "CREATE TYPE billing.mood AS ENUM ('low')",
        "CREATE FUNCTION billing.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_schema_that_holds_something_is_left_alone(
    thing: str, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    run(connection, CreateSchema("billing"))
    connection.exec_driver_sql(thing)
    with caplog.at_level(logging.INFO):
        run(connection, DropSchema("billing"))
    assert find(connection, "billing") is not None
    assert "schema billing holds other objects" in caplog.text


def test_what_somebody_else_put_there_survives_the_downgrade(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(billing())
    project.autogenerate("billing")
    project.upgrade()
    run_script(database_url, "CREATE TABLE billing.theirs ()")
    project.downgrade("base")
    assert schemas(database_url) == {"billing"}
    run_script(database_url, "DROP TABLE billing.theirs")
    project.upgrade()
    project.downgrade("base")
    assert schemas(database_url) == set()


def test_a_script_drops_only_an_empty_schema(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(billing())
    project.autogenerate("billing")
    script = project.sql("upgrade")
    back = project.sql("downgrade", "001_billing:base")
    run_script(database_url, script)
    run_script(database_url, "CREATE TABLE billing.theirs ()")
    run_script(database_url, back)
    assert schemas(database_url) == {"billing"}


def test_a_schema_that_no_model_names_any_more_is_not_looked_at(
    database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, "CREATE SCHEMA theirs")
    assert Project(tmp_path / "project", database_url).models(MetaData()).check()
