"""Samples of keys whose columns change, and of what rests upon a unique index."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tests.contract.contract import Sample


def both_ends(type_: Any) -> MetaData:
    """A key and what refers to it, of the same type; one refers to its own table."""
    metadata = MetaData()
    Table(
        "parent",
        metadata,
        Column("id", type_, primary_key=True, autoincrement=False),
        Column("within", type_),
        Column("code", type_, unique=True),
        ForeignKeyConstraint(["within"], ["parent.id"]),
    )
    Table(
        "child",
        metadata,
        Column("parent", type_),
        Column("code", type_),
        ForeignKeyConstraint(["parent"], ["parent.id"], ondelete="CASCADE", name="fk"),
        ForeignKeyConstraint(["code"], ["parent.code"]),
    )
    return metadata


def two_columns(type_: Any) -> MetaData:
    metadata = MetaData()
    Table(
        "parent",
        metadata,
        Column("a", type_, nullable=False),
        Column("b", Integer, nullable=False),
        PrimaryKeyConstraint("a", "b"),
    )
    Table(
        "child",
        metadata,
        Column("a", type_),
        Column("b", Integer),
        ForeignKeyConstraint(["a", "b"], ["parent.a", "parent.b"]),
    )
    return metadata


def unique_index(how: str) -> MetaData:
    """What a foreign key rests upon: a unique index, another one, or a constraint."""
    metadata = MetaData()
    parent = Table("parent", metadata, Column("a", Integer), Column("b", Integer))
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "with": {"postgresql_with": {"fillfactor": "70"}},
        "including": {"postgresql_include": ["b"]},
        "renamed": {},
    }
    if how == "constraint":
        parent.append_constraint(UniqueConstraint("a", name="once"))
    else:
        name = "renamed" if how == "renamed" else "once"
        Index(name, parent.c.a, unique=True, **options[how])
    Table("child", metadata, Column("a", Integer), ForeignKeyConstraint(["a"], ["parent.a"]))
    return metadata


RETYPED_SAMPLES = (
    Sample(
        "constraint",
        "both ends to a uuid",
        partial(both_ends, Uuid),
        partial(both_ends, Text),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "both ends from a uuid",
        partial(both_ends, Text),
        partial(both_ends, Uuid),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "both ends to bigint",
        partial(both_ends, BigInteger),
        partial(both_ends, Integer),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "both ends to an enum",
        partial(both_ends, Enum("a", "b", name="e")),
        partial(both_ends, Integer),
        rewrites=True,
    ),
    Sample(
        "constraint",
        "both ends of two columns",
        partial(two_columns, Integer),
        partial(two_columns, Text),
        rewrites=True,
    ),
    *(
        Sample(
            "index",
            f"under a foreign key: {before} to {after}",
            partial(unique_index, after),
            partial(unique_index, before),
        )
        for before, after in (
            ("plain", "with"),
            ("plain", "including"),
            ("plain", "renamed"),
            ("plain", "constraint"),
            ("constraint", "plain"),
            ("constraint", "renamed"),
        )
    ),
)
