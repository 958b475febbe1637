"""Samples of a table's settings that keys and indexes hold on to."""

from __future__ import annotations

from functools import partial

from sqlalchemy import (
    DDL,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from tests.contract.contract import Sample


def with_ddl(*statements: str, include: bool = False, unlogged: bool = False) -> MetaData:
    """Two tables, keys between them, a unique index, and what an event does to them."""
    metadata = MetaData()
    prefixes = ["UNLOGGED"] if unlogged else []
    parent = Table(
        "parent",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("a", Integer, nullable=False),
        Column("word", Text, nullable=False),
        UniqueConstraint("word", name="word_once"),
        prefixes=prefixes,
    )
    Index("ix_a", parent.c.a, unique=True, postgresql_include=["word"] if include else None)
    Table(
        "child",
        metadata,
        Column("parent", Integer),
        Column("a", Integer),
        ForeignKeyConstraint(["parent"], ["parent.id"], name="child_fk"),
        ForeignKeyConstraint(["a"], ["parent.a"], name="a_fk"),
        prefixes=prefixes,
    )
    for statement in statements:
        event.listen(metadata, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
    return metadata


IDENTITY = "ALTER TABLE parent REPLICA IDENTITY USING INDEX ix_a"

_ADD = "ALTER TABLE parent ADD CONSTRAINT more UNIQUE (a, word)"
_CLUSTER = "ALTER TABLE parent CLUSTER ON parent_pkey"

SETTING_SAMPLES = (
    Sample(
        "table",
        "replica identity by an index that is replaced",
        partial(with_ddl, IDENTITY, include=True),
        partial(with_ddl, IDENTITY),
        rewrites=True,
    ),
    Sample(
        "table",
        "unlogged tables with a foreign key",
        partial(with_ddl, unlogged=True),
        with_ddl,
        rewrites=True,
    ),
    Sample(
        "table",
        "logged tables with a foreign key",
        with_ddl,
        partial(with_ddl, unlogged=True),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "settings of its index",
        partial(with_ddl, "ALTER INDEX parent_pkey SET (fillfactor = 70)", _CLUSTER),
        with_ddl,
        rewrites=True,
    ),
    Sample(
        "constraint",
        "settings of its index no more",
        with_ddl,
        partial(with_ddl, "ALTER INDEX parent_pkey SET (fillfactor = 70)", _CLUSTER),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "one that comes with settings of its index",
        partial(with_ddl, f"{_ADD} WITH (fillfactor = 70)", "ALTER TABLE parent CLUSTER ON more"),
        with_ddl,
        rewrites=True,
    ),
    Sample(
        "constraint",
        "another definition and other settings",
        partial(with_ddl, "ALTER TABLE parent ADD CONSTRAINT more UNIQUE (word, a)", _CLUSTER),
        partial(with_ddl, f"{_ADD} WITH (fillfactor = 70)", "ALTER TABLE parent CLUSTER ON more"),
        rewrites=True,
    ),
)
