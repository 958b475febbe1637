"""Constraints that are looked for before they are made: connected and by `--sql`."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.options import OPTION
from pgmigrations.plugin import ensure_registered
from pgmigrations.settings import Settings
from tests.support.dump import schema_dump
from tests.support.script import run_script

ensure_registered()

Work = Callable[[Operations], Any]
SCHEMA = "s.x"
TABLES = """
CREATE SCHEMA "s.x";
CREATE TABLE "s.x".one (id integer PRIMARY KEY, other integer);
CREATE TABLE "s.x".two (id integer PRIMARY KEY, other integer);
CREATE TABLE one (id integer PRIMARY KEY, other integer);
CREATE TABLE two (id integer PRIMARY KEY, other integer)
"""
FLAG: dict[str, Any] = {"if_not_exists": True}

CREATE: dict[str, Work] = {
    "foreign key": lambda op: op.create_foreign_key(
        "fk", "one", "two", ["other"], ["id"], deferrable=True, initially="DEFERRED", **FLAG
    ),
    "foreign key between schemas": lambda op: op.create_foreign_key(
        "fk", "one", "two", ["other"], ["id"], source_schema=SCHEMA, **FLAG
    ),
    "foreign key within a schema": lambda op: op.create_foreign_key(
        "fk", "one", "two", ["other"], ["id"], source_schema=SCHEMA, referent_schema=SCHEMA, **FLAG
    ),
    "foreign key without a name": lambda op: op.create_foreign_key(
        None, "one", "two", ["other"], ["id"], ondelete="CASCADE", **FLAG
    ),
    "unique": lambda op: op.create_unique_constraint("uq", "one", ["other", "id"], **FLAG),
    "unique in a schema": lambda op: op.create_unique_constraint(
        "uq", "one", ["other"], schema=SCHEMA, deferrable=True, **FLAG
    ),
    "unique without a name": lambda op: op.create_unique_constraint(
        None, "one", ["other", "id"], **FLAG
    ),
    "check": lambda op: op.create_check_constraint("ck", "one", "other > 0 AND '%s' <> ''", **FLAG),
    "check in a schema": lambda op: op.create_check_constraint(
        "ck", "one", "other > 0", schema=SCHEMA, **FLAG
    ),
}


def connected(url: str, work: Work, **options: Any) -> None:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        with context.begin_transaction(), Operations.context(context) as operations:
            work(operations)


def written(work: Work, **options: Any) -> str:
    output = io.StringIO()
    options = {"as_sql": True, "output_buffer": output, "literal_binds": True, **options}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context) as operations:
        work(operations)
    return output.getvalue()


@pytest.mark.parametrize("what", CREATE)
def test_a_constraint_is_made_once(what: str, database_url: str) -> None:
    run_script(database_url, TABLES)
    before = schema_dump(database_url)
    ours = {OPTION: Settings()}
    connected(database_url, CREATE[what], **ours)
    after = schema_dump(database_url)
    assert after != before
    connected(database_url, CREATE[what], **ours)
    run_script(database_url, written(CREATE[what], **ours))
    assert schema_dump(database_url) == after


@pytest.mark.parametrize("what", CREATE)
def test_sql_makes_the_same_constraint(what: str, database_url: str) -> None:
    run_script(database_url, TABLES)
    run_script(database_url, written(CREATE[what], **{OPTION: Settings()}))
    after = schema_dump(database_url)
    assert "fk" in after or "uq" in after or "ck" in after or "one_other" in after
    connected(database_url, CREATE[what], **{OPTION: Settings()})
    assert schema_dump(database_url) == after


def test_another_constraint_without_a_name_is_not_taken_for_it(database_url: str) -> None:
    run_script(database_url, TABLES)
    connected(database_url, lambda op: op.create_unique_constraint(None, "one", ["other"], **FLAG))
    connected(
        database_url, lambda op: op.create_unique_constraint(None, "one", ["id", "other"], **FLAG)
    )
    assert schema_dump(database_url).count(" UNIQUE ") == 2


def test_without_the_flag_it_is_alembics(database_url: str) -> None:
    def work(op: Operations) -> None:
        op.create_unique_constraint("uq", "one", ["other"])

    run_script(database_url, TABLES)
    connected(database_url, work)
    with pytest.raises(ProgrammingError, match="already exists"):
        connected(database_url, work)
    assert "DO $" not in written(work)


def test_a_constraint_is_dropped_once_even_with_its_table(database_url: str) -> None:
    def work(op: Operations) -> None:
        op.drop_constraint("two_pkey", "two", schema=SCHEMA, type_="primary", if_exists=True)

    ours = {OPTION: Settings()}
    run_script(database_url, TABLES)
    connected(database_url, work, **ours)
    connected(database_url, work, **ours)
    run_script(database_url, written(work, **ours))
    run_script(database_url, 'DROP TABLE "s.x".two')
    connected(database_url, work, **ours)
    run_script(database_url, written(work, **ours))
