"""Names that hurt, in every place where a name or a text can stand."""

from __future__ import annotations

from importlib.metadata import version

from sqlalchemy import (
    CheckConstraint,
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
    column,
    func,
)
from sqlalchemy.types import ARRAY

from pgmigrations.migrate.core.quoting import identifier

NAMES = (
    "it's",
    "''",
    "'quoted'",
    'say "hi"',
    '"',
    "a.b",
    "a.b.c",
    "two words",
    " blank around ",
    "user",
    "order",
    "select",
    "UPPER",
    "100%",
    "%%",
    "%s",
    "%(x)s",
    ":x",
    "a::x",
    "$$",
    "$1",
    "$pgm$",
    "back\\slash",
    "\\",
    "tab\there",
    "new\nline",
    "{x}",
    "?",
    "--",
    "/*",
    ";",
    "#",
    "é",
    "日本",
    "🐘",
    "x" * 63,
    "é" * 31 + "x",
)
SCHEMA = "sch\"e'ma. %s :x"
# SQLAlchemy 2.0 cannot reflect a foreign key that has double quotes in a name, and takes names
# apart at their dots when it copies one; 2.1 can.
IS_OLD = version("SQLAlchemy").startswith("2.0.")
REFERRING_SCHEMA = "Other %s schema" if IS_OLD else SCHEMA
SETUP = tuple(
    f"CREATE SCHEMA IF NOT EXISTS {identifier(name)}" for name in (SCHEMA, REFERRING_SCHEMA)
)


def _can_refer(name: str, schema: str | None) -> bool:
    """Tell whether SQLAlchemy can reflect a foreign key with this name in it."""
    # In every version the pattern for foreign keys ends at a line's end.
    return "\n" not in name and not (IS_OLD and (schema or '"' in name or "." in name))


def _numbered(schema: str | None) -> list[tuple[int, str]]:
    """Number the names; in the other schema every third, since its own name is what hurts."""
    numbered = list(enumerate(NAMES))
    return numbered[::3] if schema else numbered


def tables(schema: str | None) -> MetaData:
    """Tables, columns, constraints that are no index, comments, texts: each of the names once."""
    metadata = MetaData()
    for number, name in _numbered(schema):
        table = Table(
            name,
            metadata,
            Column("id", Integer, comment=name),
            Column(f"{name[:20]}_1", Text, server_default=name),
            Column(name, Integer),
            PrimaryKeyConstraint("id", name=f"pk_{number}"),
            CheckConstraint(column("id") > 0, name=name),
            CheckConstraint(column(f"{name[:20]}_1") != name),
            comment=name,
            schema=schema,
        )
        if _can_refer(name, schema):
            table.append_constraint(
                ForeignKeyConstraint([table.c[name]], [table.c.id], name=f"{name[:25]}_fk")
            )
    return metadata


def types_and_indexes(schema: str | None) -> MetaData:
    """Enums with their labels, indexes with their predicates, columns that are referred to."""
    metadata = MetaData()
    for number, name in _numbered(schema):
        labels = NAMES if number == 0 else (name, "other")
        type_ = Enum(*labels, name=name, schema=schema)
        table = Table(
            f"table_{number}",
            metadata,
            Column(name, Integer),
            Column("label", type_, server_default=name, nullable=False),
            Column("labels", ARRAY(type_)),
            Column("word", Text),
            Column("other", Integer),
            UniqueConstraint(name, name=f"uq_{number}"),
            schema=schema,
        )
        Index(name, table.c[name], table.c.other.desc(), postgresql_where=table.c.word != name)
        Index(f"ix_{number}", func.lower(table.c.word))
        # SQLAlchemy reads "table.a.b" as column b of table table.a.
        if "." not in name and _can_refer(name, schema):
            table.append_constraint(ForeignKeyConstraint([table.c.other], [table.c[name]]))
    return metadata


def unique_constraints(schema: str | None) -> MetaData:
    """Constraints that are indexes, which share the names of tables."""
    metadata = MetaData()
    for number, name in _numbered(schema):
        Table(
            f"table_{number}",
            metadata,
            Column(name, Integer),
            UniqueConstraint(name, name=name),
            schema=schema,
        )
    return metadata
