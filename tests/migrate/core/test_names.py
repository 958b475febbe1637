"""Names and texts: quoted exactly, and refused where the server would cut them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.name_length import refuse_long_names
from pgmigrations.migrate.core.quoting import (
    DIALECT,
    NameTooLong,
    do_block,
    escape_parameters,
    identifier,
    literal,
)
from tests.support.project import Project

LONG = "é" * 32


def table(name: str = "t", *elements: SchemaItem, schema: str | None = None) -> MetaData:
    metadata = MetaData()
    Table(name, metadata, Column("id", Integer), *elements, schema=schema)
    return metadata


TOO_LONG: dict[str, Callable[[], MetaData]] = {
    "table": lambda: table(LONG),
    "schema": lambda: table("t", schema=LONG),
    "column": lambda: table("t", Column(LONG, Integer)),
    "check": lambda: table("t", CheckConstraint("id > 0", name=LONG)),
    "unique": lambda: table("t", UniqueConstraint("id", name=LONG)),
    "index": lambda: table("t", Index(LONG, "id")),
    "ascii": lambda: table("t", Index("x" * 64, "id")),
    "enum": lambda: table("t", Column("e", Enum("a", name=LONG))),
    "label": lambda: table("t", Column("e", Enum("a", LONG, name="e"))),
}


@pytest.mark.parametrize("where", TOO_LONG)
def test_a_name_of_more_than_63_bytes_is_refused(where: str) -> None:
    with pytest.raises(NameTooLong, match="64 bytes, and PostgreSQL keeps 63"):
        refuse_long_names([TOO_LONG[where]()])


def test_a_name_of_63_bytes_is_not() -> None:
    refuse_long_names([table("é" * 31 + "x", Column("x" * 63, Integer), schema="日" * 21)])


def test_a_name_that_a_convention_shortens_is_not() -> None:
    metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s"})
    Table("t" * 60, metadata, Column("c" * 60, Integer, index=True))
    refuse_long_names([metadata])


@pytest.mark.parametrize("where", ["table", "label"])
def test_autogenerate_writes_nothing_then(where: str, tmp_path: Path, database_url: str) -> None:
    project = Project(tmp_path / "project", database_url).models(TOO_LONG[where]())
    with pytest.raises(CommandError, match="has 64 bytes"):
        project.autogenerate()
    assert project.revisions() == []


@pytest.mark.parametrize(
    "sql",
    [
        "a = 1",
        "':x'",
        "a::text = 'x'",
        "':x'::text",
        "':a:b'",
        "':a::b'",
        r"'\:x'",
        r"'\\:x:'",
        r"'\: x'",
        "'a: b'",
        "now() - '01:02:03'::interval",
        "'::' || ':' || ':é'",
        "'%s %(x)s %%'",
    ],
)
def test_text_reads_escaped_sql_back_as_it_was(sql: str) -> None:
    assert str(text(escape_parameters(sql)).compile(dialect=DIALECT)) == sql


def test_sql_without_parameters_is_left_as_it_is() -> None:
    assert escape_parameters("a::text = '01: 02'") == "a::text = '01: 02'"


def test_quotes_and_backslashes_are_doubled_where_they_must_be() -> None:
    assert identifier('say "hi"') == '"say ""hi"""'
    assert literal("it's") == "'it''s'"
    assert literal("a\\b'") == "E'a\\\\b'''"


def test_a_block_ends_where_it_should() -> None:
    block = do_block("RAISE NOTICE '$pgm$ $pgm1$'; ")
    assert block.startswith("DO $pgm2$\n")
    assert block.endswith("\n$pgm2$")


def test_an_identifier_that_would_be_cut_is_refused() -> None:
    with pytest.raises(NameTooLong) as failure:
        identifier("x" * 64)
    assert "Choose a shorter one" in str(failure.value)
