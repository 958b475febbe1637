"""The operations on domains."""

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
    Operation,
)
from pgmigrations.migrate.objects.domain.alter import AlterDomain
from pgmigrations.migrate.objects.domain.catalog import DomainRecord, find
from pgmigrations.migrate.objects.domain.ops import CreateDomain, DropDomain
from pgmigrations.migrate.objects.domain.part import UnknownProperty
from pgmigrations.plugin import ensure_registered
from tests.support.script import run_script

ensure_registered()

LIST = {"email_list": "CHECK (VALUE IN ('a@b', 'c@d'))"}
NO_LIST = {"constraints": {"email_list": ""}}
EMAIL = CreateDomain("email", "varchar(80)", default="'a@b'", not_null=True, constraints=LIST)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


def run(connection: Connection, *operations: Operation) -> None:
    invoker = Operations(MigrationContext.configure(connection))
    for operation in operations:
        invoker.invoke(operation)
    connection.commit()


def found(connection: Connection) -> DomainRecord:
    domain = find(connection, None, "email")
    assert isinstance(domain, DomainRecord)
    return domain


def test_a_domain_is_made_once(connection: Connection) -> None:
    run(connection, EMAIL, EMAIL)
    domain = found(connection)
    assert (domain.type, domain.not_null) == ("character varying(80)", True)
    assert domain.default == "'a@b'::character varying"
    assert [name for name, _ in domain.constraints] == ["email_list"]


@pytest.mark.parametrize(
    "other",
    [
        CreateDomain("email", "text", default="'a@b'", not_null=True, constraints=LIST),
        CreateDomain("email", "varchar(80)", not_null=True, constraints=LIST),
        CreateDomain("email", "varchar(80)", default="'a@b'", constraints=LIST),
        CreateDomain("email", "varchar(80)", default="'a@b'", not_null=True),
        CreateDomain(
            "email", "varchar(80)", default="'a@b'", not_null=True, constraints=LIST, comment="x"
        ),
    ],
    ids=["type", "default", "not null", "check", "comment"],
)
def test_another_domain_is_not_taken_for_the_same(
    connection: Connection, database_url: str, other: CreateDomain
) -> None:
    run(connection, EMAIL)
    with pytest.raises(DifferentObject, match=r"varchar\(80\)|character varying\(80\)"):
        run(connection, other)
    connection.rollback()
    if not other.comment:
        with pytest.raises(Exception, match="domain email is there, but differs"):
            run_script(database_url, ";".join(other.guarded_statements()))


def test_another_sort_of_type_is_not_taken_for_a_domain(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TYPE email AS ENUM ('a')")
    connection.commit()
    with pytest.raises(DifferentObject, match="an enum"):
        run(connection, EMAIL)
    connection.rollback()
    run(connection, DropDomain("email"))
    assert find(connection, None, "email") == "an enum"


def test_a_changed_domain_is_neither_dropped_nor_made_by_halves(connection: Connection) -> None:
    dropped = DropDomain("email", making=EMAIL)
    run(connection, EMAIL, dropped, dropped)
    assert find(connection, None, "email") is None
    run(connection, dropped.reverse())
    assert found(connection).not_null
    with pytest.raises(IrreversibleOperation):
        DropDomain("email").reverse()


def test_properties_are_changed_once_and_back(connection: Connection, database_url: str) -> None:
    run(connection, EMAIL)
    before = found(connection)
    altered = AlterDomain(
        "email",
        {"default": "", "not_null": False, "constraints": {"email_list": ""}, "comment": "x"},
        existing={"default": "'a@b'", "not_null": True, "constraints": LIST, "comment": ""},
    )
    run(connection, altered, altered)
    domain = found(connection)
    assert (domain.default, domain.not_null, domain.constraints) == ("", False, ())
    assert domain.comment == "x"
    connection.commit()
    back = altered.reverse()
    for _ in range(2):
        run_script(database_url, ";".join(back.guarded_statements()))
    assert found(connection) == before
    run(connection, back)


def test_what_is_neither_as_wanted_nor_as_it_was_is_an_error(
    connection: Connection, database_url: str
) -> None:
    run(connection, EMAIL)
    for properties, existing in (
        ({"default": "'x@y'"}, {"default": ""}),
        ({"constraints": {"email_list": "CHECK (VALUE <> '')"}}, NO_LIST),
    ):
        altered = AlterDomain("email", properties, existing=existing)
        with pytest.raises(DifferentObject):
            run(connection, altered)
        connection.rollback()
        with pytest.raises(Exception, match="domain email is there, but differs"):
            run_script(database_url, ";".join(altered.guarded_statements()))


def test_a_domain_that_is_not_there_cannot_change(
    connection: Connection, database_url: str
) -> None:
    altered = AlterDomain("email", {"not_null": True}, existing={"not_null": False})
    with pytest.raises(MissingObject):
        run(connection, altered)
    with pytest.raises(Exception, match="domain email does not exist"):
        run_script(database_url, ";".join(altered.guarded_statements()))


def test_a_property_that_cannot_change_is_named() -> None:
    with pytest.raises(UnknownProperty, match="'default'"):
        AlterDomain("email", {"defualt": "1"}, existing={}).statements()


def test_a_check_is_validated_in_place(connection: Connection, database_url: str) -> None:
    run_script(
        database_url,
        "CREATE DOMAIN email AS text; "
        "ALTER DOMAIN email ADD CONSTRAINT email_at CHECK (VALUE LIKE '%@%') NOT VALID",
    )
    (_, definition), *_ = found(connection).constraints
    assert definition.endswith(" NOT VALID")
    valid = definition.removesuffix(" NOT VALID")
    altered = AlterDomain(
        "email",
        {"constraints": {"email_at": valid}},
        existing={"constraints": {"email_at": definition}},
    )
    assert altered.statements() == ['ALTER DOMAIN "email" VALIDATE CONSTRAINT "email_at"']
    run(connection, altered, altered)
    assert found(connection).constraints == (("email_at", valid),)
    connection.commit()
    for operation, text in ((altered.reverse(), definition), (altered, valid)):
        for _ in range(2):
            run_script(database_url, ";".join(operation.guarded_statements()))
        assert found(connection).constraints == (("email_at", text),)
        connection.commit()
    run(connection, altered.reverse(), altered.reverse())
    assert found(connection).constraints == (("email_at", definition),)
