"""The operation that changes partitions, on rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject
from pgmigrations.migrate.objects.table.partition import ChangePartitions
from pgmigrations.plugin import ensure_registered

ensure_registered()

ONE = [None, "one", "FOR VALUES FROM (1) TO (10)"]
WIDER = [None, "one", "FOR VALUES FROM (1) TO (20)"]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE visit (id integer) PARTITION BY RANGE (id)")
        connection.commit()
        yield connection


def run(connection: Connection, operation: ChangePartitions) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        Operations(context).invoke(operation)


def rows(connection: Connection, table: str) -> list[int]:
    found = connection.exec_driver_sql(f"SELECT id FROM {table} ORDER BY 1").scalars().all()
    connection.commit()
    return list(found)


def test_rows_stay_when_a_bound_changes(connection: Connection) -> None:
    run(connection, ChangePartitions("visit", [], [ONE]))
    connection.exec_driver_sql("INSERT INTO visit VALUES (1), (9)")
    connection.commit()
    wider = ChangePartitions("visit", [ONE], [WIDER])
    run(connection, wider)
    run(connection, wider)
    connection.exec_driver_sql("INSERT INTO visit VALUES (19)")
    connection.commit()
    assert rows(connection, "one") == [1, 9, 19]


def test_a_table_of_the_name_is_attached_with_its_rows(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE one (id integer); INSERT INTO one VALUES (3)")
    connection.commit()
    run(connection, ChangePartitions("visit", [], [ONE]))
    assert rows(connection, "visit") == [3]


def test_partitions_that_nobody_speaks_of_are_left_alone(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE other PARTITION OF visit DEFAULT")
    connection.commit()
    run(connection, ChangePartitions("visit", [], [ONE]))
    run(connection, ChangePartitions("visit", [], [ONE]).reverse())
    connection.exec_driver_sql("INSERT INTO visit VALUES (5)")
    connection.commit()
    assert rows(connection, "other") == [5]


def test_another_bound_is_an_error_that_names_both(connection: Connection) -> None:
    run(connection, ChangePartitions("visit", [], [WIDER]))
    with pytest.raises(DifferentObject, match=r"partition public.one .* TO \(10\).* TO \(20\)"):
        run(connection, ChangePartitions("visit", [], [ONE]))


def test_the_table_must_be_there_to_get_partitions(connection: Connection) -> None:
    with pytest.raises(MissingObject, match="table nothing does not exist"):
        run(connection, ChangePartitions("nothing", [], [ONE]))
    run(connection, ChangePartitions("nothing", [ONE], []))
