"""The operations on indexes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject, Operation
from pgmigrations.migrate.core.quoting import qualified
from pgmigrations.migrate.objects.index.definition import Definition, UnreadableDefinition
from pgmigrations.migrate.objects.index.look import find
from pgmigrations.migrate.objects.index.ops import AlterIndex, CommentOnIndex, CreateIndexAs
from pgmigrations.migrate.objects.index.options import UnknownOption
from pgmigrations.migrate.objects.index.replace import ReplaceIndex
from pgmigrations.plugin import ensure_registered
from tests.contract.hurting_names import NAMES

ensure_registered()
OLD = "CREATE INDEX ix ON public.t USING btree (n)"
NEW = "CREATE UNIQUE INDEX ix ON public.t USING btree (n DESC) WHERE (n = ANY (ARRAY[1, 2]))"
OPTIONS = {"statistics": [], "clustered": True, "comment": "It's"}


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n int); CREATE TABLE u (n int)")
        yield connection


def run(connection: Connection, *operations: Operation) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def run_guarded(connection: Connection, operation: Operation) -> None:
    for statement in operation.guarded_statements():
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def definition(connection: Connection, name: str = "ix") -> str | None:
    found = find(connection, None, name)
    return None if found is None else found.definition


def test_an_index_is_made_once_with_its_properties(connection: Connection) -> None:
    create = CreateIndexAs("ix", "t", OLD, options=OPTIONS)
    run(connection, create, create)
    found = find(connection, None, "ix")
    assert found is not None
    assert (found.definition, found.options) == (OLD, {**OPTIONS, "tablespace": ""})
    run_guarded(connection, create)


def test_another_index_of_the_name_is_not_taken_for_it(connection: Connection) -> None:
    run(connection, CreateIndexAs("ix", "t", OLD))
    for operation in (
        CreateIndexAs("ix", "t", NEW),
        CreateIndexAs("ix", "u", OLD.replace(".t", ".u")),
        ReplaceIndex("ix", "t", NEW, NEW.replace("DESC", "NULLS FIRST")),
    ):
        with pytest.raises(DifferentObject, match="index ix is there, but differs"):
            run(connection, operation)
        savepoint = connection.begin_nested()
        with pytest.raises(DBAPIError, match="is there, but differs"):
            run_guarded(connection, operation)
        savepoint.rollback()
    assert definition(connection) == OLD


def test_an_index_is_replaced_once_and_back(connection: Connection) -> None:
    replace = ReplaceIndex("ix", "t", OLD, NEW, new_options={"comment": "x"})
    run(connection, CreateIndexAs("ix", "t", OLD), replace, replace)
    assert definition(connection) == NEW
    run(connection, replace.reverse(), replace.reverse())
    assert definition(connection) == OLD
    for _ in range(2):
        run_guarded(connection, replace)
        assert definition(connection) == NEW


def test_an_index_moves_to_another_table_of_its_schema(connection: Connection) -> None:
    move = ReplaceIndex("ix", "u", OLD, OLD.replace(".t", ".u"))
    run(connection, CreateIndexAs("ix", "t", OLD), move, move)
    assert definition(connection) == OLD.replace(".t", ".u")
    run_guarded(connection, move.reverse())
    assert definition(connection) == OLD


def test_what_is_altered_must_be_there(connection: Connection) -> None:
    for operation in (
        AlterIndex("no", "t", {"clustered": True}, existing={"clustered": False}),
        CommentOnIndex("no", "x"),
    ):
        with pytest.raises(MissingObject, match="index no does not exist"):
            run(connection, operation)
    with pytest.raises(UnknownOption, match="'comments'"):
        run(connection, AlterIndex("ix", "t", {"comments": "x"}, existing={}))


def test_names_that_hurt_come_through(connection: Connection) -> None:
    schema = NAMES[0]
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    for name in NAMES:
        connection.exec_driver_sql(
            f"CREATE TABLE {qualified(schema, name)} (n int)",
            execution_options={"no_parameters": True},
        )
        index = f"{name[:20]} ix"
        text = Definition(False, name, "USING btree (n)").statement(schema, index)
        other = Definition(False, name, "USING btree (n DESC)").statement(schema, index)
        create = CreateIndexAs(index, name, text, schema=schema, options={"comment": name})
        replace = ReplaceIndex(index, name, text, other, schema=schema)
        run(connection, create, create, replace, replace)
        for _ in range(2):
            run_guarded(connection, replace.reverse())
        found = find(connection, schema, index)
        assert found is not None
        assert Definition.parse(found.definition) == Definition.parse(text)


@pytest.mark.parametrize("text", ["", "CREATE INDEX", "CREATE INDEX i ON t (n)", 'CREATE INDEX "i'])
def test_only_what_the_server_prints_is_read(text: str) -> None:
    with pytest.raises(UnreadableDefinition, match="has another form"):
        Definition.parse(text)
