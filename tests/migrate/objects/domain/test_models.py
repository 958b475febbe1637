"""Domains of the models: which are declared, and what becomes of the rows and of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ARRAY, Column, Integer, MetaData, String, Table, Text, create_engine
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator, UserDefinedType

from pgmigrations.migrate.objects.domain.catalog import DomainRecord, find
from tests.support.project import Project
from tests.support.script import run_script


def models(*columns: Column[Any]) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


class Email(TypeDecorator[str]):
    impl = DOMAIN("email", Text, check="VALUE LIKE '%@%'")
    cache_ok = True


class Foreign(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "email"


def cell(url: str, column: str) -> Any:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.exec_driver_sql(f"SELECT {column} FROM t").scalar_one()


def test_a_domain_is_found_wherever_it_hides_and_made_once(
    database_url: str, tmp_path: Path
) -> None:
    metadata = models(
        Column("one", Email()),
        Column("many", ARRAY(Email())),
        Column("variant", String().with_variant(Email(), "postgresql")),
    )
    project = Project(tmp_path / "project", database_url).models(metadata)
    revision = project.autogenerate()
    assert revision is not None
    text = revision.read_text()
    assert text.count("create_domain") == 1
    assert text.count("op.sql_type('email')") == 3
    assert "DOMAIN(" not in text
    project.upgrade()
    assert project.check()


def test_two_domains_of_one_name_are_refused_with_both_places(
    database_url: str, tmp_path: Path
) -> None:
    metadata = models(Column("a", DOMAIN("d", Text)), Column("b", DOMAIN("d", Integer)))
    project = Project(tmp_path / "project", database_url).models(metadata)
    with pytest.raises(Exception, match=r"Domain d .* in t\.a and in another in t\.b"):
        project.autogenerate()


@pytest.mark.parametrize(
    ("before", "after", "value", "stored"),
    [
        (Text(), DOMAIN("d", Text), "a", "a"),
        (Text(), DOMAIN("d", Integer), "7", 7),
        (Integer(), DOMAIN("d", Text), "7", "7"),
        (DOMAIN("d", Text), DOMAIN("e", Integer), "7", 7),
        (ARRAY(Text()), ARRAY(DOMAIN("d", Integer)), "{7}", [7]),
        (Text(), ARRAY(DOMAIN("d", Text)), "a", ["a"]),
    ],
    ids=repr,
)
def test_the_rows_of_a_column_are_kept_as_its_type_becomes_a_domain(
    before: Any, after: Any, value: str, stored: Any, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(models(Column("c", before)))
    project.autogenerate("first")
    project.upgrade()
    run_script(database_url, f"INSERT INTO t (c) VALUES ('{value}')")
    start = cell(database_url, "c")
    assert project.models(models(Column("c", after))).autogenerate("second") is not None
    project.upgrade()
    text = "c::text::int[]" if isinstance(stored, list) and stored == [7] else "c"
    text = "c::text::text[]" if stored == ["a"] else text
    assert cell(database_url, text) == stored
    assert project.check()
    project.downgrade()
    assert cell(database_url, "c") == start


def test_a_text_too_long_for_a_domain_is_refused_not_cut(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(models(Column("c", Text)))
    project.autogenerate("first")
    project.upgrade()
    run_script(database_url, "INSERT INTO t (c) VALUES ('too long')")
    project.models(models(Column("c", DOMAIN("d", String(3))))).autogenerate("second")
    with pytest.raises(Exception, match="too long for type"):
        project.upgrade()
    assert cell(database_url, "c") == "too long"


def test_a_row_that_a_new_check_refuses_stops_the_revision(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url)
    project.models(models(Column("c", DOMAIN("d", Text)))).autogenerate("first")
    project.upgrade()
    run_script(database_url, "INSERT INTO t (c) VALUES ('a')")
    project.models(models(Column("c", DOMAIN("d", Text, check="VALUE <> 'a'"))))
    assert project.autogenerate("second") is not None
    with pytest.raises(Exception, match='column "c" of table "t" contains values that violate'):
        project.upgrade()


def test_another_base_type_is_refused_with_what_to_do(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url)
    project.models(models(Column("c", DOMAIN("d", Text)))).autogenerate("first")
    project.upgrade()
    project.models(models(Column("c", DOMAIN("d", Integer))))
    with pytest.raises(Exception, match=r"over text, .* over integer.*Give the new domain another"):
        project.autogenerate("second")


USERS = {
    "a column": "CREATE SCHEMA other; CREATE TABLE other.t (c email)",
    "a view": "CREATE VIEW v AS SELECT 'a'::email AS c",
    "a function": "CREATE FUNCTION f(email) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a composite type": "CREATE TYPE pair AS (a email)",
    "a domain that a view needs": "CREATE DOMAIN more AS email; CREATE VIEW v AS SELECT 'a'::more",
}


@pytest.mark.parametrize("user", USERS)
def test_an_undeclared_domain_that_something_needs_is_left_alone(
    user: str, database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, f"CREATE DOMAIN email AS text; {USERS[user]}")
    assert Project(tmp_path / "project", database_url).autogenerate() is None


def test_a_domain_that_a_column_uses_by_its_name_is_left_alone(
    database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')")
    project = Project(tmp_path / "project", database_url).models(models(Column("c", Foreign())))
    assert project.autogenerate() is not None
    project.upgrade()
    assert project.check()


def test_an_undeclared_domain_that_nothing_needs_is_dropped_and_comes_back(
    database_url: str, tmp_path: Path
) -> None:
    run_script(
        database_url,
        "CREATE DOMAIN email AS varchar(9) DEFAULT 'a' CHECK (VALUE IN ('a', 'b'));"
        "CREATE DOMAIN more AS email NOT NULL; COMMENT ON DOMAIN more IS 'it''s 100%'",
    )
    project = Project(tmp_path / "project", database_url)
    revision = project.autogenerate()
    assert revision is not None
    project.upgrade()
    assert project.check()
    project.downgrade()
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        email, more = (find(connection, None, name) for name in ("email", "more"))
    assert isinstance(email, DomainRecord)
    assert isinstance(more, DomainRecord)
    assert (email.type, email.default) == ("character varying(9)", "'a'::character varying")
    assert (more.type, more.not_null, more.comment) == ("public.email", True, "it's 100%")


@pytest.mark.needs_extension("vector")
def test_a_domain_over_the_type_of_an_extension_asks_for_it(
    database_url: str, tmp_path: Path
) -> None:
    from pgvector.sqlalchemy import Vector

    metadata = models(Column("c", DOMAIN("d", Vector(3))))
    project = Project(tmp_path / "project", database_url).models(metadata)
    revision = project.autogenerate()
    assert revision is not None
    assert "op.create_extension('vector'" in revision.read_text()
    project.upgrade()
    assert project.check()
