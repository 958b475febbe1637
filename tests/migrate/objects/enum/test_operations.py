"""The operations on enums, without the one that rebuilds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import (
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
)
from pgmigrations.migrate.core.quoting import NameTooLong
from pgmigrations.migrate.objects.enum.catalog import find
from pgmigrations.migrate.objects.enum.label_ops import AddEnumValue, RenameEnumValue
from pgmigrations.migrate.objects.enum.ops import CreateEnum, DropEnum
from pgmigrations.plugin import ensure_registered

ensure_registered()


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


def run(
    connection: Connection, *operations: CreateEnum | DropEnum | AddEnumValue | RenameEnumValue
) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def test_creating_an_enum_twice_creates_it_once(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low", "high"]), CreateEnum("mood", ["low", "high"]))
    assert find(connection, None, "mood") == ("low", "high")


def test_an_enum_without_labels_can_be_made_and_filled(connection: Connection) -> None:
    run(connection, CreateEnum("mood", []), CreateEnum("mood", []), AddEnumValue("mood", "low"))
    assert find(connection, None, "mood") == ("low",)


def test_an_enum_with_other_labels_is_not_taken_for_the_same(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low", "high"]))
    with pytest.raises(DifferentObject) as failure:
        run(connection, CreateEnum("mood", ["high", "low"]))
    assert "labels high, low" in str(failure.value)
    assert "labels low, high" in str(failure.value)


def test_another_sort_of_type_is_not_taken_for_an_enum(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE DOMAIN mood AS text")
    connection.commit()
    with pytest.raises(DifferentObject, match="a domain"):
        run(connection, CreateEnum("mood", ["low"]))
    connection.rollback()
    dropping = DropEnum("mood")
    run(connection, dropping)
    for statement in dropping.guarded_statements():
        connection.exec_driver_sql(statement)
    assert find(connection, None, "mood") == "domain"


def test_dropping_an_enum_twice_drops_it_once(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low"]), DropEnum("mood"), DropEnum("mood"))
    assert find(connection, None, "mood") is None


def test_labels_go_where_they_are_asked_for(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low", "high"]))
    added = [
        AddEnumValue("mood", "lowest", before="low"),
        AddEnumValue("mood", "middle", after="low"),
        AddEnumValue("mood", "highest"),
    ]
    run(connection, *added)
    run(connection, *added)
    assert find(connection, None, "mood") == ("lowest", "low", "middle", "high", "highest")


def test_a_label_on_the_wrong_side_is_an_error(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low", "high"]))
    with pytest.raises(DifferentObject, match=r"it after high.*the order low, high"):
        run(connection, AddEnumValue("mood", "low", after="high"))


def test_a_missing_neighbour_and_a_missing_enum_are_errors(connection: Connection) -> None:
    with pytest.raises(MissingObject, match="enum mood does not exist"):
        run(connection, AddEnumValue("mood", "low"))
    run(connection, CreateEnum("mood", ["low", "high"]))
    with pytest.raises(MissingObject, match="label middle of enum mood"):
        run(connection, AddEnumValue("mood", "x", after="middle"))


def test_a_label_is_renamed_once(connection: Connection) -> None:
    renamed = RenameEnumValue("mood", "low", "lowest")
    run(connection, CreateEnum("mood", ["low", "high"]), renamed, renamed)
    assert find(connection, None, "mood") == ("lowest", "high")
    run(connection, renamed.reverse())
    assert find(connection, None, "mood") == ("low", "high")


def test_a_rename_that_cannot_be_is_an_error(connection: Connection) -> None:
    run(connection, CreateEnum("mood", ["low", "high"]))
    with pytest.raises(DifferentObject, match="both in low, high"):
        run(connection, RenameEnumValue("mood", "low", "high"))
    with pytest.raises(MissingObject, match="The type has low, high"):
        run(connection, RenameEnumValue("mood", "x", "y"))


def test_labels_that_the_server_would_cut_are_refused(connection: Connection) -> None:
    for operation in (CreateEnum("mood", ["x" * 64]), CreateEnum("é" * 32, ["x"])):
        with pytest.raises(NameTooLong):
            run(connection, operation)
    run(connection, CreateEnum("mood", ["low"]))
    for change in (AddEnumValue("mood", "x" * 64), RenameEnumValue("mood", "low", "x" * 64)):
        with pytest.raises(NameTooLong):
            run(connection, change)


def test_a_label_goes_before_or_after_another_not_both() -> None:
    with pytest.raises(ValueError, match="not both"):
        AddEnumValue("mood", "x", before="a", after="b")


def test_what_was_before_must_be_known_to_go_back() -> None:
    with pytest.raises(IrreversibleOperation):
        DropEnum("mood").reverse()
    with pytest.raises(IrreversibleOperation):
        AddEnumValue("mood", "x").reverse()
    assert DropEnum("mood", labels=("a",)).reverse().labels == ["a"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, ["a", "b", "x"]),
        ({"before": "a"}, ["x", "a", "b"]),
        ({"after": "a"}, ["a", "x", "b"]),
    ],
)
def test_the_reverse_of_adding_knows_the_order(place: dict[str, str], expected: list[str]) -> None:
    reverse = AddEnumValue("mood", "x", existing=("a", "b"), **place).reverse()
    assert (reverse.old, reverse.new) == (expected, ["a", "b"])
