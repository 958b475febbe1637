"""The operations on sequences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import (
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.objects.sequence.catalog import find
from pgmigrations.migrate.objects.sequence.ops import (
    AlterSequence,
    CreateSequence,
    DropSequence,
)
from pgmigrations.migrate.objects.sequence.options import (
    UnknownOption,
    complete,
    shortened,
    state,
)
from pgmigrations.plugin import ensure_registered
from tests.contract.hurting_names import NAMES

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


def run_guarded(connection: Connection, operation: Operation) -> None:
    for statement in operation.guarded_statements():
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"type": "integer", "increment": -2},
        {"start": 5, "minvalue": -7, "maxvalue": 99, "cache": 3, "cycle": True},
        {"type": "smallint", "comment": "It's \\ here"},
    ],
    ids=str,
)
def test_the_server_chooses_what_is_left_out_as_we_think(
    connection: Connection, options: dict[str, object]
) -> None:
    create = CreateSequence("s", options)
    run(connection, create, create)
    found = find(connection, None, "s")
    assert found is not None
    assert state(found) == complete(create.options)
    assert shortened(state(found)) == options
    run_guarded(connection, create)
    for _ in range(2):
        run_guarded(connection, create.reverse())
    assert find(connection, None, "s") is None


def test_another_sequence_of_the_name_is_not_taken_for_it(connection: Connection) -> None:
    run(connection, CreateSequence("s", {"cache": 2}))
    with pytest.raises(DifferentObject, match="wants cache 1, the database has cache 2"):
        run(connection, CreateSequence("s"))
    with pytest.raises(DifferentObject, match="wants cache 5, the database has cache 2"):
        run(connection, AlterSequence("s", {"cache": 5}, existing={"cache": 4}))


def test_a_sequence_is_altered_once_and_back(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE t (n int)")
    owner = ["public", "t", "n"]
    alter = AlterSequence(
        "s", {"increment": 5, "owned_by": owner}, existing={"increment": 1, "owned_by": []}
    )
    run(connection, CreateSequence("s"), alter, alter)
    found = find(connection, None, "s")
    assert found is not None
    assert state(found) == complete({"increment": 5, "owned_by": owner})
    for _ in range(2):
        run_guarded(connection, alter.reverse())
    run(connection, CreateSequence("s"))


def test_the_sequence_of_an_identity_column_is_left_alone(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)")
    run(connection, DropSequence("t_n_seq"))
    run_guarded(connection, DropSequence("t_n_seq"))
    assert connection.exec_driver_sql("SELECT to_regclass('t_n_seq')").scalar_one()


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(IrreversibleOperation, match="are not known"):
        DropSequence("s").reverse()
    with pytest.raises(UnknownOption, match="'incremnt'"):
        CreateSequence("s", {"incremnt": 5}).statements()


def test_what_is_altered_must_be_there(connection: Connection) -> None:
    with pytest.raises(MissingObject, match="sequence s does not exist"):
        run(connection, AlterSequence("s", {"cache": 5}, existing={"cache": 1}))


def test_names_that_hurt_come_through(connection: Connection) -> None:
    schema = NAMES[0]
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    for name in NAMES:
        create = CreateSequence(name, {"comment": name}, schema=schema)
        alter = AlterSequence(name, {"cache": 2}, existing={"cache": 1}, schema=schema)
        run(connection, create, alter, alter)
        for _ in range(2):
            run_guarded(connection, alter.reverse())
        run(connection, create, DropSequence(name, schema=schema))
        assert find(connection, schema, name) is None


@pytest.mark.parametrize(
    ("position", "options", "wanted"),
    [
        (50, {"maxvalue": 10}, None),
        (50, {"maxvalue": 10, "cycle": True}, 1),
        (3, {"minvalue": 20, "start": 20}, 20),
        (7, {"maxvalue": 10}, 8),
        (50, {"type": "smallint", "maxvalue": 60}, 51),
    ],
    ids=str,
)
@pytest.mark.parametrize("how", ["connected", "offline"])
def test_a_position_outside_new_limits_becomes_the_nearest(
    connection: Connection,
    how: str,
    position: int,
    options: dict[str, object],
    wanted: int | None,
) -> None:
    create = CreateSequence("s")
    run(connection, create)
    connection.exec_driver_sql(f"SELECT setval('s', {position})")
    connection.commit()
    there = complete({})
    alter = AlterSequence("s", options, existing={key: there[key] for key in options})
    for _ in range(2):
        if how == "connected":
            run(connection, alter)
        else:
            run_guarded(connection, alter)
    if wanted is None:
        with pytest.raises(DBAPIError, match="reached maximum value"):
            connection.exec_driver_sql("SELECT nextval('s')")
    else:
        assert connection.exec_driver_sql("SELECT nextval('s')").scalar_one() == wanted


@pytest.mark.parametrize("how", ["connected", "offline"])
def test_a_sequence_that_comes_counts_on_behind_its_column(
    connection: Connection, how: str
) -> None:
    connection.exec_driver_sql("CREATE TABLE t (n int, word text)")
    connection.exec_driver_sql("INSERT INTO t VALUES (41, 'x')")
    connection.commit()
    for column, wanted in (("n", 42), ("word", 1)):
        create = CreateSequence("s", {"owned_by": ["public", "t", column]})
        for _ in range(2):
            if how == "connected":
                run(connection, create)
            else:
                run_guarded(connection, create)
        assert connection.exec_driver_sql("SELECT nextval('s')").scalar_one() == wanted
        run(connection, DropSequence("s"))


@pytest.mark.parametrize("how", ["connected", "offline"])
@pytest.mark.parametrize(
    ("options", "is_drawn_from", "wanted"),
    [
        ({}, True, 42),
        ({}, False, 1),
        ({"start": 100}, True, 100),
        ({"maxvalue": 40}, True, 1),
        ({"increment": -1}, True, -8),
        ({"increment": -1, "start": -100}, True, -100),
    ],
)
def test_a_sequence_that_gets_an_owner_counts_on_where_that_draws_from_it(
    options: dict[str, int], is_drawn_from: bool, wanted: int, how: str, connection: Connection
) -> None:
    run(connection, CreateSequence("s", options))
    default = " DEFAULT nextval('s')" if is_drawn_from else ""
    connection.exec_driver_sql(f"CREATE TABLE t (n int{default})")
    connection.exec_driver_sql("INSERT INTO t VALUES (41), (-7)")
    connection.commit()
    alter = AlterSequence("s", {"owned_by": ["public", "t", "n"]}, existing={"owned_by": []})
    for _ in range(2):
        if how == "connected":
            run(connection, alter)
        else:
            run_guarded(connection, alter)
    assert connection.exec_driver_sql("SELECT nextval('s')").scalar_one() == wanted
