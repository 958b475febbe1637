"""The samples of indexes and sequences: each property that can change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from tests.contract.contract import Sample


def page(*changes: Callable[[Table], object], schema: str | None = None) -> MetaData:
    """A table that has had all its columns, with what the changes make of it."""
    metadata = MetaData()
    table = Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", Text),
        Column("number", Integer, nullable=False),
        Column("words", TSVECTOR),
        schema=schema,
    )
    for change in changes:
        change(table)
    return metadata


def index(*columns: str, **options: Any) -> Callable[[Table], object]:
    """The index `ix`, on columns or on what is SQL."""

    def change(table: Table) -> object:
        on = [table.c[one] if one in table.c else text(one) for one in columns]
        return Index("ix", *on, _table=table, **options)

    return change


def ddl(*statements: str) -> Callable[[Table], object]:
    """What SQLAlchemy has no words for, sent when the table has been created."""

    def change(table: Table) -> None:
        for statement in statements:
            # Placeholders are no business of these.
            event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]

    return change


INDEX_CHANGES: dict[str, tuple[Callable[[Table], object], ...]] = {
    "other columns": (index("title"),),
    "other order": (index("number DESC NULLS LAST", "title"),),
    "an expression": (index("lower(title)"),),
    "an operator class": (index("title", postgresql_ops={"title": "text_pattern_ops"}),),
    "an operator class with parameters": (
        index(
            "words",
            postgresql_using="gist",
            postgresql_ops={"words": "tsvector_ops (siglen = 64)"},
        ),
    ),
    "a collation": (index('title COLLATE "C"'),),
    "INCLUDE": (index("number", postgresql_include=["title"]),),
    "a predicate": (index("number", postgresql_where=text("title IN ('a', 'b')")),),
    "WITH": (index("number", postgresql_with={"fillfactor": 70}),),
    "uniqueness": (index("number", unique=True),),
    "a method": (index("number", postgresql_using="brin"),),
    "a comment": (index("number"), ddl("COMMENT ON INDEX ix IS 'It''s \\ here'")),
    "a CLUSTER mark": (index("number"), ddl("ALTER TABLE page CLUSTER ON ix")),
    "statistics": (
        index("number", "(number + 1)"),
        ddl("ALTER INDEX ix ALTER COLUMN 2 SET STATISTICS 77"),
    ),
    "everything": (
        index("number DESC", "lower(title)", unique=True),
        ddl(
            "COMMENT ON INDEX ix IS 'All'",
            "ALTER INDEX ix ALTER COLUMN 2 SET STATISTICS 77",
            "ALTER TABLE page CLUSTER ON ix",
        ),
    ),
}


def counters(*sequences: Callable[[MetaData], object], schema: str | None = None) -> MetaData:
    metadata = MetaData()
    Table("counting", metadata, Column("n", BigInteger), schema=schema)
    for sequence in sequences:
        sequence(metadata)
    return metadata


def counter(name: str = "counter", **options: Any) -> Callable[[MetaData], object]:
    """A sequence that stands by itself."""

    def add(metadata: MetaData) -> object:
        return Sequence(name, metadata=metadata, **options)

    return add


def counter_ddl(*statements: str) -> Callable[[MetaData], object]:
    """What SQLAlchemy has no words for, sent when everything has been created."""

    def add(metadata: MetaData) -> None:
        for statement in statements:
            event.listen(metadata, "after_create", DDL(statement))  # type: ignore[no-untyped-call]

    return add


SEQUENCE_CHANGES: dict[str, tuple[Callable[[MetaData], object], ...]] = {
    "a start": (counter(start=5),),
    "an increment": (counter(increment=3),),
    "a descending one": (counter(increment=-1, minvalue=-9, maxvalue=9, start=5),),
    "limits": (counter(minvalue=-3, maxvalue=99, start=7),),
    "a cache": (counter(cache=20),),
    "CYCLE": (counter(cycle=True),),
    "a type": (counter(data_type=SmallInteger),),
    "an owner": (counter(), counter_ddl("ALTER SEQUENCE counter OWNED BY counting.n")),
    "a comment": (counter(), counter_ddl("COMMENT ON SEQUENCE counter IS 'It''s \\ here'")),
}


INDEX_SAMPLES = (
    *(
        Sample("index", which, partial(page, *changes), partial(page, index("number")))
        for which, changes in INDEX_CHANGES.items()
    ),
    Sample("index", "made", partial(page, *INDEX_CHANGES["everything"]), page),
    Sample("index", "dropped", page, partial(page, *INDEX_CHANGES["everything"])),
    *(
        Sample("sequence", which, partial(counters, *changes), partial(counters, counter()))
        for which, changes in SEQUENCE_CHANGES.items()
    ),
    Sample("sequence", "made", partial(counters, *SEQUENCE_CHANGES["limits"]), counters),
    Sample("sequence", "dropped", counters, partial(counters, *SEQUENCE_CHANGES["a comment"])),
)
