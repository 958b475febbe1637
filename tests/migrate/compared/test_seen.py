"""Changes that Alembic 1.20.1 does not detect on PostgreSQL: each is seen, made, and then gone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Enum,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN, ExcludeConstraint

from tests.migrate.compared.case import Case, page, take


def index(*columns: str, **options: object) -> MetaData:
    return page(Index("ix", *(columns or ("number",)), **options))  # type: ignore[arg-type]


def column(*arguments: object, **options: object) -> MetaData:
    return page(columns=[Column("c", *arguments, **options)])  # type: ignore[arg-type]


def check(said: str | None, name: str | None = "positive") -> MetaData:
    return page(*([] if said is None else [CheckConstraint(said, name=name)]))


def mood(*labels: str, is_used: bool = True) -> MetaData:
    metadata = page()
    type_ = Enum(*labels, name="mood", metadata=metadata)
    if is_used:
        metadata.tables["page"].append_column(Column("mood", type_))
    return metadata


def email(check: str | None) -> MetaData:
    return column(DOMAIN("email", String(80), check=check))


def with_sequence() -> MetaData:
    metadata = page()
    Sequence("counter", start=5, metadata=metadata)
    return metadata


def keyed(*columns: str) -> MetaData:
    metadata = MetaData()
    Table(
        "page",
        metadata,
        *(
            Column(name, Integer, primary_key=name in columns, autoincrement=False, nullable=False)
            for name in ("book", "number")
        ),
    )
    return metadata


def unlogged(*prefixes: str) -> MetaData:
    return page(prefixes=list(prefixes))


UNIQUE = UniqueConstraint("number", name="once")
FOREIGN_KEY = ForeignKeyConstraint(["book"], ["book.id"], name="page_book_fkey")
FILL = "INSERT INTO page VALUES (1, 2, NULL, 'a', 'new')"

CASES = {
    "index method": Case(
        partial(index, postgresql_using="brin"), ["replace_index"], partial(index)
    ),
    "index predicate": Case(
        partial(index, postgresql_where=text("status IN ('new', 'old')")),
        ["replace_index"],
        partial(index, postgresql_where=text("status = 'new'")),
    ),
    "index opclass": Case(
        partial(index, "title", postgresql_ops={"title": "text_pattern_ops"}),
        ["replace_index"],
        partial(index, "title"),
    ),
    "index storage parameter": Case(
        partial(index, postgresql_with={"fillfactor": 70}), ["replace_index"], partial(index)
    ),
    "index INCLUDE": Case(
        partial(index, postgresql_include=["title"]), ["replace_index"], partial(index)
    ),
    "INVALID index": Case(
        partial(index),
        ["replace_index"],
        by_hand="UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix'::regclass",
    ),
    "CHECK added": Case(
        partial(check, "number > 0"), ["add_constraint"], partial(check, None), by_hand=FILL
    ),
    "CHECK removed": Case(
        partial(check, None), ["remove_constraint"], partial(check, "number > 0")
    ),
    "CHECK reworded": Case(
        partial(check, "status IN ('new', 'old')"),
        ["replace_constraint"],
        partial(check, "status IN ('new', 'used')"),
    ),
    "unnamed CHECK added": Case(
        partial(check, "number > 0", None), ["add_constraint"], partial(check, None)
    ),
    "unnamed CHECK removed": Case(
        partial(check, None), ["remove_constraint"], partial(check, "number > 0", None)
    ),
    "unnamed CHECK reworded": Case(
        partial(check, "number > 1", None),
        ["replace_constraint"],
        partial(check, "number > 0", None),
    ),
    "CHECK left NOT VALID": Case(
        partial(check, "status IN ('new', 'old')"),
        ["validate_constraint"],
        partial(check, None),
        "ALTER TABLE page ADD CONSTRAINT positive CHECK (status IN ('new', 'old')) NOT VALID",
    ),
    "FK left NOT VALID": Case(
        partial(page, FOREIGN_KEY),
        ["validate_constraint"],
        page,
        "ALTER TABLE page ADD CONSTRAINT page_book_fkey FOREIGN KEY (book) REFERENCES book (id) "
        "NOT VALID",
    ),
    "EXCLUDE added": Case(
        lambda: page(ExcludeConstraint(("number", "="), name="no_other", using="btree")),
        ["add_constraint"],
        page,
        FILL,
    ),
    "primary key changed": Case(
        partial(keyed, "book", "number"),
        ["replace_constraint"],
        partial(keyed, "book"),
        "INSERT INTO page VALUES (1, 2)",
        "SELECT * FROM page",
    ),
    "UNIQUE deferrable changed": Case(
        lambda: page(UniqueConstraint("number", name="once", deferrable=True)),
        ["replace_constraint"],
        lambda: page(UniqueConstraint("number", name="once")),
    ),
    "column collation changed": Case(
        partial(column, String(collation="C")),
        ["change_column"],
        partial(column, String()),
        "INSERT INTO page VALUES (1, 2, NULL, 'a', 'new', 'é')",
        "SELECT c FROM page",
    ),
    "server default changed": Case(
        partial(column, Integer, server_default=text("2")),
        ["alter_column"],
        partial(column, Integer, server_default=text("1")),
    ),
    "identity added": Case(
        partial(column, Integer, Identity(start=9), nullable=False),
        ["change_column"],
        partial(column, Integer, nullable=False),
    ),
    "computed expression changed": Case(
        partial(column, Integer, Computed("number + 2", persisted=True)),
        ["change_column"],
        partial(column, Integer, Computed("number + 1", persisted=True)),
        "INSERT INTO page VALUES (1, 2)",
        "SELECT number FROM page",
    ),
    "standalone sequence": Case(with_sequence, ["create_sequence"], page),
    "RLS": Case(page, ["change_table"], by_hand="ALTER TABLE page ENABLE ROW LEVEL SECURITY"),
    "UNLOGGED": Case(
        partial(unlogged, "UNLOGGED"),
        ["change_table"],
        unlogged,
        FILL,
        "SELECT id, number FROM page",
    ),
    "fillfactor": Case(page, ["change_table"], by_hand="ALTER TABLE page SET (fillfactor = 70)"),
    "enum label added": Case(
        partial(mood, "low", "middle", "high"), ["add_enum_value"], partial(mood, "low", "high")
    ),
    "enum label removed": Case(
        partial(mood, "low", "high"),
        ["replace_enum"],
        partial(mood, "low", "middle", "high"),
        "INSERT INTO page VALUES (1, 2, NULL, 'a', 'new', 'high')",
        "SELECT mood::text FROM page",
    ),
    "enum labels reordered": Case(
        partial(mood, "high", "low"),
        ["replace_enum"],
        partial(mood, "low", "high"),
        "INSERT INTO page VALUES (1, 2, NULL, 'a', 'new', 'high')",
        "SELECT mood::text FROM page",
    ),
    "enum that no column uses": Case(partial(mood, "low", is_used=False), ["create_enum"], page),
    "enum that nothing uses any more": Case(
        page, ["drop_enum"], partial(mood, "low", is_used=False)
    ),
    "domain check": Case(
        partial(email, "VALUE LIKE '%@%'"),
        ["alter_domain"],
        partial(email, None),
        "INSERT INTO page VALUES (1, 2, NULL, 'a', 'new', 'a@b')",
        "SELECT c FROM page",
    ),
    "domain check reworded": Case(
        partial(email, "VALUE IN ('a@b', 'c@d')"),
        ["alter_domain"],
        partial(email, "VALUE LIKE '%@%'"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_seen_made_and_gone(name: str, database_url: str, tmp_path: Path) -> None:
    take(CASES[name], database_url, tmp_path / "project")
