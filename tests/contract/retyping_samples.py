"""Samples of columns whose type changes below constraints and indexes that stay, or nearly so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR, ExcludeConstraint
from sqlalchemy.types import TypeEngine

from tests.contract.contract import Sample

AnyType: TypeAlias = TypeEngine[Any] | type[TypeEngine[Any]]


def mood(metadata: MetaData) -> Enum:
    return Enum("low", "high", name="mood", metadata=metadata)


def key_to_itself(*, changed: bool) -> MetaData:
    """Both ends of a foreign key lie in one table."""
    metadata = MetaData()
    enum = mood(metadata)
    Table(
        "itself",
        metadata,
        Column("a", Text if changed else enum, unique=True),
        Column("b", Text if changed else enum),
        ForeignKeyConstraint(["b"], ["itself.a"], name="to_itself", comment="It's a"),
    )
    return metadata


def key_to_another(*, changed: bool) -> MetaData:
    """A key of two columns rests on a primary key; another one stays a number."""
    metadata = MetaData()
    word = BigInteger if changed else Text
    Table(
        "target",
        metadata,
        Column("a", Integer, autoincrement=False),
        Column("b", word),
        PrimaryKeyConstraint("a", "b"),
    )
    for name in ("one", "two"):
        Table(
            name,
            metadata,
            Column("a", Integer),
            Column("b", word),
            ForeignKeyConstraint(["a", "b"], ["target.a", "target.b"], ondelete="CASCADE"),
        )
    return metadata


def keys_on_an_index(*, changed: bool) -> MetaData:
    """What the keys rest upon is a unique index, no constraint."""
    metadata = MetaData()
    enum = mood(metadata)
    target = Table("target", metadata, Column("a", Text if changed else enum), Column("b", Integer))
    Index("target_a", target.c.a, unique=True)
    Table(
        "one",
        metadata,
        Column("a", Text if changed else enum),
        ForeignKeyConstraint(["a"], ["target.a"]),
    )
    return metadata


def compared_columns(*, changed: bool) -> MetaData:
    """Checks, predicates and expressions that compare two columns which change alike."""
    metadata = MetaData()
    type_ = Text if changed else Integer
    table = Table(
        "compared",
        metadata,
        Column("a", type_),
        Column("b", type_),
        Column("c", Integer),
        CheckConstraint("a < b", name="in_order"),
        ExcludeConstraint(("c", "="), where=text("a > b"), using="btree", name="never"),
    )
    Index("ix_where", table.c.c, postgresql_where=text("a = b"))
    Index("ix_expression", text("(a IS DISTINCT FROM b)"))
    return metadata


def checked_columns(*, changed: bool) -> MetaData:
    """Checks that print in another way on another type, reworded and not."""
    metadata = MetaData()
    pairs: dict[str, tuple[AnyType, AnyType, str, str]] = {
        "listed": (Integer, BigInteger, "c IN (1, 2)", "c IN (1, 2)"),
        "reworded": (String(20), Text, "c <> 'a'", "c <> 'a' AND c <> 'b'"),
        "widened": (Integer, BigInteger, "c > 0 AND c < 9", "c > 0 AND c < 9"),
        "renumbered": (Integer, BigInteger, "c > 0", "c >= 0"),
        "enumerated": (mood(metadata), Text, "c <> 'low'", "c <> 'low'"),
        "unlisted": (mood(metadata), Text, "c IN ('low', 'high')", "c IN ('low', 'high')"),
        "counted": (String(9), Integer, "c <> '1'", "c <> 1"),
    }
    for name, (before, after, old, new) in pairs.items():
        Table(
            name,
            metadata,
            Column("c", after if changed else before),
            Column("id", Integer),
            CheckConstraint(new if changed else old, name="k"),
        )
    return metadata


def indexed_columns(*, changed: bool) -> MetaData:
    """Indexes and keys on columns of another type."""
    metadata = MetaData()
    pairs: dict[str, tuple[AnyType, AnyType]] = {
        "text_number": (Text, Integer),
        "enum_text": (mood(metadata), Text),
        "text_enum": (Text, mood(metadata)),
        "varchar_text": (String(9), Text),
    }
    for name, (before, after) in pairs.items():
        table = Table(
            name,
            metadata,
            Column("id", Integer),
            Column("c", after if changed else before),
            UniqueConstraint("c", "id", name=f"{name}_key"),
            ExcludeConstraint(("c", "="), name=f"{name}_excl", using="btree"),
        )
        Index(f"ix_{name}", table.c.c, postgresql_where=text("c IS NOT NULL"))
        Index(
            f"ix_{name}_some",
            table.c.id,
            postgresql_where=text("c = '1'" if "number" in name else "c = 'low'"),
        )
    return metadata


def unknown_types(*, changed: bool) -> MetaData:
    """Types that SQLAlchemy has no generic class for, in tables and columns that come and go."""
    metadata = MetaData()
    Table(
        "retyped",
        metadata,
        Column("a", TSVECTOR if changed else Text),
        Column("b", LargeBinary if changed else Text),
    )
    Table("more", metadata, Column("id", Integer), *(_unknown() if changed else []))
    Table("less", metadata, Column("id", Integer), *([] if changed else _unknown()))
    if not changed:
        Table("gone", metadata, *_unknown())
    return metadata


def _unknown() -> list[Column[Any]]:
    return [Column("a", TSVECTOR), Column("b", LargeBinary)]


BUILDERS: dict[str, Callable[..., MetaData]] = {
    "at both ends of a foreign key to its own table": key_to_itself,
    "at both ends of foreign keys to another table": key_to_another,
    "at both ends of a foreign key on a unique index": keys_on_an_index,
    "compared with each other": compared_columns,
    "below checks": checked_columns,
    "below indexes": indexed_columns,
    "by types without a generic class": unknown_types,
}

RETYPING_SAMPLES = tuple(
    Sample(
        "column",
        f"another type {name}, {way}",
        partial(build, changed=way == "forth"),
        partial(build, changed=way == "back"),
        rewrites=True,
    )
    for name, build in BUILDERS.items()
    for way in ("forth", "back")
)
