"""Changes that Alembic detects itself: they are not lost on the way to a comparison of our own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from tests.migrate.compared.case import Case, page, take


def typed(type_: Any) -> MetaData:
    return page(columns=[Column("c", type_)])


def unique(**options: Any) -> MetaData:
    return page(UniqueConstraint("book", name="once", **options))


def index(*columns: str) -> MetaData:
    metadata = page()
    by_name = metadata.tables["page"].c
    Index("ix", *(by_name[one[1:]].desc() if one[0] == "-" else by_name[one] for one in columns))
    return metadata


def referring(**options: Any) -> MetaData:
    return page(ForeignKeyConstraint(["book"], ["book.id"], name="page_book_fkey", **options))


def changed_type(before: Any, after: Any, call: str, value: str) -> Case:
    return Case(
        partial(typed, after),
        [call],
        partial(typed, before),
        f"INSERT INTO page VALUES (1, 2, NULL, 'a', 'new', {value})",
        "SELECT id FROM page WHERE c IS NOT NULL",
    )


CASES = {
    "NULLS NOT DISTINCT": Case(
        partial(unique, postgresql_nulls_not_distinct=True),
        ["replace_constraint"],
        unique,
        version=15,
    ),
    "index column order": Case(
        partial(index, "book", "number"), ["replace_index"], partial(index, "number", "book")
    ),
    "index DESC": Case(partial(index, "-number"), ["replace_index"], partial(index, "number")),
    "FK ondelete": Case(partial(referring, ondelete="CASCADE"), ["replace_constraint"], referring),
    "FK deferrable": Case(partial(referring, deferrable=True), ["replace_constraint"], referring),
    "varchar length": changed_type(String(10), String(20), "alter_column", "'a'"),
    "time zone": changed_type(
        DateTime(), DateTime(timezone=True), "change_column", "'2026-01-02 03:04'"
    ),
    "array": changed_type(Integer(), ARRAY(Integer), "change_column", "7"),
    "json to jsonb": changed_type(JSON(), JSONB(), "alter_column", "'{\"a\": 1}'"),
    "precision": changed_type(Numeric(10, 2), Numeric(12, 4), "alter_column", "1.23"),
    "precision of a time": changed_type(
        TIMESTAMP(precision=3), TIMESTAMP(precision=6), "alter_column", "'2026-01-02 03:04'"
    ),
    "comment of a table": Case(partial(page, comment="Of a book"), ["create_table_comment"], page),
    "comment of a column": Case(
        lambda: page(columns=[Column("c", Integer, comment="Yes")]),
        ["alter_column"],
        lambda: page(columns=[Column("c", Integer, comment="No")]),
    ),
    "identity changed": Case(
        lambda: page(columns=[Column("c", Integer, Identity(always=True, increment=3))]),
        ["change_column"],
        lambda: page(columns=[Column("c", Integer, Identity())]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_seen_made_and_gone(
    name: str, database_url: str, server_version: int, tmp_path: Path
) -> None:
    case = CASES[name]
    if server_version < case.version * 10_000:
        pytest.skip(f"the server is older than PostgreSQL {case.version}")
    take(case, database_url, tmp_path / "project")
