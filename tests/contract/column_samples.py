"""The samples of columns and tables that change: a pair of states for every property."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from functools import partial

from sqlalchemy import (
    ARRAY,
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tests.contract import hurting_names
from tests.contract.contract import Sample

HURTING = """it"s a %(x)s :name 'column' \\ $$ 名"""
HURTING_TEXT = 'it\'s 100%, :name \\ "x" $$ %s é'


def changing(
    *columns: Callable[[], Column[object]],
    ddl: tuple[str, ...] = (),
    schema: str | None = None,
    unlogged: bool = False,
) -> MetaData:
    """One table with the columns, and what its events do to it."""
    metadata = MetaData()
    table = Table(
        "changing",
        metadata,
        # A sequence of its own would be a difference of its own.
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("a", Integer, nullable=False),
        *(build() for build in columns),
        schema=schema,
        prefixes=["UNLOGGED"] if unlogged else [],
    )
    for statement in ddl:
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
    return metadata


def column(*arguments: object, **keywords: object) -> Callable[[], Column[object]]:
    """Build a column anew each time: a column belongs to one table."""

    def build() -> Column[object]:
        built = [one() if inspect.isfunction(one) else copy.copy(one) for one in arguments]
        return Column("c", *built, **keywords)  # type: ignore[arg-type]

    return build


def mood() -> Enum:
    return Enum("low", "high", name="mood")


def zoned() -> DateTime:
    return DateTime(timezone=True)


PAIRS: tuple[tuple[str, Callable[[], Column[object]], Callable[[], Column[object]]], ...] = (
    ("a longer text", column(String(10)), column(String(20))),
    (
        "a longer text with a default",
        column(String(10), server_default="x"),
        column(String(20), server_default="y"),
    ),
    ("varchar to integer", column(String(10)), column(Integer)),
    (
        "varchar to integer with a default",
        column(String(10), server_default="7"),
        column(Integer, server_default="7"),
    ),
    (
        "text to an enum with a default",
        column(Text, server_default="low", nullable=False),
        column(mood, server_default="low", nullable=False),
    ),
    ("json to jsonb", column(JSON, server_default="{}"), column(JSONB, server_default="{}")),
    ("a scalar to an array", column(Integer), column(ARRAY(Integer))),
    (
        "a text to an array with defaults",
        column(Text, server_default="x"),
        column(ARRAY(Text), server_default="{x}"),
    ),
    ("timestamp to timestamptz", column(DateTime), column(zoned)),
    ("date to timestamptz", column(Date), column(zoned)),
    ("a narrower numeric", column(Numeric(12, 4)), column(Numeric(10, 2))),
    ("integer to bigint", column(Integer), column(BigInteger)),
    (
        "integer to boolean with a default",
        column(Integer, server_default=text("1")),
        column(Boolean, server_default=text("true")),
    ),
    ("NULL refused", column(Integer), column(Integer, nullable=False)),
    ("a default set", column(Text), column(Text, server_default=HURTING_TEXT)),
    ("a default changed", column(Text, server_default="x"), column(Text, server_default="y")),
    ("a json default", column(JSON, server_default="{}"), column(JSON, server_default='{"a": 1}')),
    (
        "everything that Alembic has a word for",
        column(String(5)),
        column(String(9), nullable=False, server_default="a:b", comment=HURTING_TEXT),
    ),
    (
        "a generated expression",
        column(Integer, Computed("a * 2", persisted=True)),
        column(Integer, Computed("a * 3", persisted=True)),
    ),
    (
        "another type and expression",
        column(Integer, Computed("a * 2", persisted=True), nullable=False, comment="Twice"),
        column(Text, Computed("a || ':x'", persisted=True), nullable=False, comment="Twice"),
    ),
    (
        "a plain column to a generated one",
        column(Integer, server_default="7", comment="x"),
        column(Integer, Computed("a * 2", persisted=True), comment="y"),
    ),
    ("identity added", column(Integer, nullable=False), column(Integer, Identity(start=5))),
    (
        "identity with other options",
        column(Integer, Identity(start=5)),
        column(Integer, Identity(always=True, start=3, increment=2, cycle=True, maxvalue=99)),
    ),
    (
        "identity with another type",
        column(Integer, Identity()),
        column(BigInteger, Identity(always=True)),
    ),
    (
        "identity instead of a default",
        column(Integer, server_default="3", nullable=False),
        column(Integer, Identity()),
    ),
    ("collation", column(Text), column(Text(collation="C"))),
    (
        "collation and length",
        column(String(5, collation="POSIX")),
        column(String(9, collation="C"), server_default="x"),
    ),
    ("comment", column(Integer, comment="x"), column(Integer, comment=HURTING_TEXT)),
    ("comment removed", column(Integer, comment="x"), column(Integer)),
)

_SET = "ALTER TABLE changing ALTER c SET "
DDL_PAIRS: tuple[tuple[str, str, str], ...] = (
    ("column", "storage", f"{_SET}STORAGE EXTERNAL"),
    ("column", "compression", f"{_SET}COMPRESSION pglz"),
    ("column", "statistics", f"{_SET}STATISTICS 500"),
    ("column", "options", f"{_SET}(n_distinct = 5)"),
    ("table", "storage parameters", "ALTER TABLE changing SET (fillfactor = 70)"),
    (
        "table",
        "storage parameters of its TOAST table",
        "ALTER TABLE changing SET (toast.autovacuum_enabled = off, autovacuum_enabled = off)",
    ),
    ("table", "row level security", "ALTER TABLE changing ENABLE ROW LEVEL SECURITY"),
    ("table", "row level security forced", "ALTER TABLE changing FORCE ROW LEVEL SECURITY"),
    ("table", "replica identity", "ALTER TABLE changing REPLICA IDENTITY FULL"),
    (
        "table",
        "replica identity by an index",
        "ALTER TABLE changing REPLICA IDENTITY USING INDEX changing_pkey",
    ),
)


def with_dependants(expression: str) -> MetaData:
    """A generated column with an index, a check and a unique constraint on it."""
    metadata = changing(column(Integer, Computed(expression, persisted=True), nullable=False))
    table = metadata.tables["changing"]
    Index("ix_c", table.c.c, table.c.a)
    table.append_constraint(CheckConstraint("c > -5", name="c_positive"))
    return metadata


def hurting_column(schema: str, *, is_after: bool) -> MetaData:
    metadata = MetaData()
    settings = {"server_default": "5"} if is_after else {"comment": HURTING_TEXT}
    Table(
        HURTING,
        metadata,
        Column("id", Integer, primary_key=True),
        Column(HURTING, Integer if is_after else Text, **settings),  # type: ignore[arg-type]
        Column("n", Integer, *([Identity()] if is_after else []), nullable=False),
        comment=HURTING_TEXT if is_after else None,
        schema=schema,
    )
    return metadata


COLUMN_SAMPLES = (
    *(
        Sample("column", name, partial(changing, after), partial(changing, before), rewrites=True)
        for name, before, after in PAIRS
    ),
    *(
        Sample(
            kind,
            name,
            partial(changing, column(Text), ddl=(ddl,)),
            partial(changing, column(Text)),
            rewrites=True,
        )
        for kind, name, ddl in DDL_PAIRS
    ),
    Sample(
        "column",
        "a generated expression with dependants",
        partial(with_dependants, "a * 3"),
        partial(with_dependants, "a * 2"),
        rewrites=True,
    ),
    Sample(
        "column",
        "names that hurt",
        partial(hurting_column, hurting_names.SCHEMA, is_after=True),
        partial(hurting_column, hurting_names.SCHEMA, is_after=False),
        setup=hurting_names.SETUP,
        rewrites=True,
    ),
    Sample(
        "table",
        "unlogged",
        partial(changing, unlogged=True),
        changing,
        rewrites=True,
    ),
)
