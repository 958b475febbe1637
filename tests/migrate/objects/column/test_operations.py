"""The operation that changes a column, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.objects.column.catalog import find
from pgmigrations.migrate.objects.column.conversion import using
from pgmigrations.migrate.objects.column.ops import ChangeColumn
from pgmigrations.plugin import ensure_registered

ensure_registered()

TYPES = (
    ("text", "integer", "'7'", "7"),
    ("integer", "text", "7", "7"),
    ("text", "mood", "'low'", "low"),
    ("mood", "text", "'low'", "low"),
    ("mood[]", "text[]", "'{low,high}'", "{low,high}"),
    ("json", "jsonb", """'{"a": 1}'""", '{"a": 1}'),
    ("jsonb", "json", """'{"a": 1}'""", '{"a": 1}'),
    ("integer", "integer[]", "7", "{7}"),
    ("integer[]", "integer", "'{7}'", "7"),
    ("integer[]", "integer", "'{}'", None),
    ("integer", "integer[]", "NULL", None),
    ("text[]", "text", "'{a,b}'", "{a,b}"),
    ("character varying(3)", "integer[]", "'7'", "{7}"),
    ("integer", "boolean", "1", "true"),
    ("boolean", "integer", "true", "1"),
    (
        "timestamp without time zone",
        "timestamp with time zone",
        "'2024-05-06 07:08'",
        "2024-05-06 17:08:00+10",
    ),
    (
        "timestamp with time zone",
        "timestamp without time zone",
        "'2024-05-06 07:08+00'",
        "2024-05-06 07:08:00",
    ),
    ("date", "timestamp with time zone", "'2024-05-06'", "2024-05-06 10:00:00+10"),
    ("timestamp with time zone", "date", "'2024-05-06 23:00+00'", "2024-05-06"),
    ("numeric(10,4)", "numeric(10,2)", "1.2345", "1.23"),
    ("bigint", "smallint", "7", "7"),
    ("uuid", "text", "'00000000-0000-0000-0000-000000000001'", None),
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('low', 'high')")
        # Far from UTC, so that a conversion which forgets the zone shows.
        connection.exec_driver_sql("SET TimeZone = 'Australia/Brisbane'")
        connection.commit()
        yield connection


def run(connection: Connection, *operations: ChangeColumn) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def sql(connection: Connection, statement: str) -> Any:
    result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    value = result.scalar() if result.returns_rows else None
    connection.commit()
    return value


@pytest.mark.parametrize(("before", "after", "value", "wanted"), TYPES)
def test_values_come_through_a_change_of_type(
    connection: Connection, before: str, after: str, value: str, wanted: str | None
) -> None:
    sql(connection, f"CREATE TABLE t (c {before})")
    sql(connection, f"INSERT INTO t VALUES ({value})")
    printed = {name: "public.mood" + name[4:] for name in ("mood", "mood[]")}
    before, after = printed.get(before, before), printed.get(after, after)
    forth = using(connection, "c", before, after)
    back = using(connection, "c", after, before)
    operation = ChangeColumn(
        "t", "c", {"type": before}, {"type": after}, using=forth, old_using=back
    )
    run(connection, operation, operation)
    found = sql(connection, "SELECT c::text FROM t")
    assert found == wanted or before == "uuid"
    for statement in operation.guarded_statements():
        sql(connection, statement)
    assert sql(connection, "SELECT c::text FROM t") == found
    run(connection, operation.reverse())
    record = find(connection, None, "t", "c")
    assert record is not None
    assert record.type == before


def test_a_text_that_is_too_long_is_refused_not_cut(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c text)")
    sql(connection, "INSERT INTO t VALUES ('long')")
    operation = ChangeColumn(
        "t",
        "c",
        {"type": "text"},
        {"type": "character varying(2)"},
        using=using(connection, "c", "text", "character varying(2)"),
    )
    with pytest.raises(DBAPIError, match="too long"):
        run(connection, operation)


def test_an_array_with_two_items_is_no_number(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c integer[])")
    sql(connection, "INSERT INTO t VALUES ('{1,2}')")
    operation = ChangeColumn(
        "t",
        "c",
        {"type": "integer[]"},
        {"type": "integer"},
        using=using(connection, "c", "integer[]", "integer"),
    )
    with pytest.raises(DBAPIError, match=r"\{1,2\}"):
        run(connection, operation)


def test_null_in_the_rows_is_said_by_the_server(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c integer)")
    sql(connection, "INSERT INTO t VALUES (NULL)")
    with pytest.raises(DBAPIError, match="contains null values"):
        run(connection, ChangeColumn("t", "c", {"not_null": ""}, {"not_null": "NOT NULL"}))


def test_a_third_state_is_shown_with_both_that_were_expected(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c numeric DEFAULT 3)")
    with pytest.raises(DifferentObject, match="'numeric'"):
        run(connection, ChangeColumn("t", "c", {"type": "text"}, {"type": "integer"}))
    connection.rollback()
    with pytest.raises(DifferentObject, match="default '3'"):
        run(connection, ChangeColumn("t", "c", {"default": "1"}, {"default": "2"}))


def test_a_missing_column_is_named(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c numeric)")
    with pytest.raises(MissingObject, match="column d of t"):
        run(connection, ChangeColumn("t", "d", {"type": "text"}, {"type": "integer"}))


def test_a_default_that_reads_otherwise_is_the_same(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c text DEFAULT 'x')")
    change = ChangeColumn("t", "c", {"default": ""}, {"default": "('x')"})
    assert not change.pending(connection)


def test_an_unknown_property_is_refused() -> None:
    with pytest.raises(ValueError, match="not nullable"):
        ChangeColumn("t", "c", {"nullable": True}, {"nullable": False})


def test_an_identity_counts_on_behind_the_rows(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (c integer NOT NULL, d text)")
    sql(connection, "INSERT INTO t VALUES (41)")
    options = "ALWAYS START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE"
    operation = ChangeColumn("t", "c", {"identity_options": ""}, {"identity_options": options})
    run(connection, operation, operation)
    assert sql(connection, "INSERT INTO t (d) VALUES ('x') RETURNING c") == 42


@pytest.mark.needs_server(min=18)
def test_a_virtual_column_that_becomes_plain_keeps_its_values(connection: Connection) -> None:
    sql(connection, "CREATE TABLE t (a integer, c integer GENERATED ALWAYS AS (a * 2) VIRTUAL)")
    sql(connection, "INSERT INTO t (a) VALUES (3)")
    operation = ChangeColumn(
        "t",
        "c",
        {"type": "integer", "generated": "VIRTUAL (a * 2)"},
        {"type": "integer", "generated": ""},
    )
    run(connection, operation, operation)
    assert sql(connection, "SELECT c FROM t") == 6
    run(connection, operation.reverse(), operation.reverse())
    record = find(connection, None, "t", "c")
    assert record is not None
    assert record.generated == "VIRTUAL (a * 2)"


@pytest.mark.needs_server(min=18)
@pytest.mark.parametrize(
    "beside",
    [
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0)",
        "ALTER TABLE t ADD CONSTRAINT even CHECK (c % 2 = 0)",
        "CREATE PUBLICATION p FOR TABLE t",
    ],
)
def test_a_virtual_column_beside_what_forbids_another_expression_gets_it(
    beside: str, connection: Connection
) -> None:
    sql(connection, "CREATE TABLE t (a integer, c integer GENERATED ALWAYS AS (a * 2) VIRTUAL)")
    sql(connection, beside)
    sql(connection, "INSERT INTO t (a) VALUES (3)")
    operation = ChangeColumn(
        "t",
        "c",
        {"type": "integer", "generated": "VIRTUAL (a * 2)"},
        {"type": "integer", "generated": "VIRTUAL (a * 4)"},
    )
    run(connection, operation, operation)
    assert sql(connection, "SELECT c FROM t") == 12
    run(connection, operation.reverse())
    assert sql(connection, "SELECT c FROM t") == 6
    checks = "SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"
    assert sql(connection, checks) == ("CHECK" in beside)


@pytest.mark.needs_extension("vector")
@pytest.mark.parametrize(
    ("new", "value"), [("public.halfvec(3)", "[1,2,3]"), ("public.vector(4)", None)]
)
def test_vectors_change_their_precision_and_their_size(
    connection: Connection, new: str, value: str | None
) -> None:
    sql(connection, "CREATE EXTENSION vector")
    sql(connection, "CREATE TABLE t (c vector(3))")
    sql(connection, f"INSERT INTO t VALUES ({literal(value) if value else 'NULL'})")
    old = "public.vector(3)"
    operation = ChangeColumn(
        "t",
        "c",
        {"type": old},
        {"type": new},
        using=using(connection, "c", old, new),
        old_using=using(connection, "c", new, old),
    )
    run(connection, operation, operation, operation.reverse())
    assert sql(connection, "SELECT c::text FROM t") == value
