"""Renames: the same models under other names, with hints."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Identity,
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

from pgmigrations.declare import RenamedLabel, declare, renamed_from
from tests.contract import hurting_names
from tests.contract.contract import Sample
from tests.support.convention import CONVENTION


def hinted(old: str, new: str) -> dict[Any, Any]:
    return renamed_from(old) if old != new else {}


def library(
    table: str = "book",
    year: str = "year",
    *,
    key: str = "id",
    convention: dict[str, str] | None = None,
    schema: str | None = None,
) -> MetaData:
    """A table with all that may be named after it or its columns, and one that refers to it."""
    metadata = MetaData(naming_convention=convention)
    book = Table(
        table,
        metadata,
        Column(key, Integer, primary_key=True, info=hinted("id", key)),
        Column("number", Integer, Identity(), nullable=False),
        Column(year, Integer, nullable=False, index=True, info=hinted("year", year)),
        Column("twin", ForeignKey(f"{schema}.{table}.{key}" if schema else f"{table}.{key}")),
        Column("state", Text, server_default="new"),
        UniqueConstraint("number", year),
        CheckConstraint(column(year) > 0, name="after_all"),
        CheckConstraint(column("state").in_(["new", "old"]), name="known_state"),
        schema=schema,
        info=hinted("book", table),
    )
    Index(f"{table}_old", book.c[year], postgresql_where=book.c.state.in_(["new", "old"]))
    Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("book", Integer, ForeignKey(book.c[key]), index=True),
        schema=schema,
    )
    return metadata


def parts(*, is_after: bool) -> MetaData:
    """Constraints of every sort and an index, each with a hint of its own."""
    metadata = MetaData()

    def named(name: str) -> dict[str, Any]:
        return {"name": f"new_{name}", "info": renamed_from(name)} if is_after else {"name": name}

    table = Table(
        "part",
        metadata,
        Column("id", Integer),
        Column("state", Text),
        Column("other", ForeignKey("part.id", **named("a_foreign_key"))),
        PrimaryKeyConstraint("id", **named("a_key")),
        UniqueConstraint("id", "state", **named("a_unique")),
        CheckConstraint("state IN ('a', 'b')", **named("a_check")),
    )
    words = named("an_index")
    index = Index(words["name"], func.lower(table.c.state), postgresql_where=table.c.id > 0)
    index.info.update(words.get("info", {}))
    return metadata


def labels(first: str, second: str, *more: str) -> MetaData:
    """A default and a check that speak of the labels."""
    metadata = MetaData()
    state = Enum(first, second, *more, name="state")
    Table(
        "job",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("state", state, server_default=first, nullable=False),
        CheckConstraint(f"state <> '{second}' OR id > 0", name="checked"),
    )
    for old, new in (("waiting", first), ("done", second)):
        if old != new:
            declare(metadata, RenamedLabel("state", old, new))
    return metadata


def hurting(shift: int) -> MetaData:
    """Tables, columns, checks and indexes, each renamed from a name that hurts to the next one."""
    names = [one for one in hurting_names.NAMES if "\n" not in one]
    metadata = MetaData()
    for place, old in enumerate(names):
        new = names[(place + shift) % len(names)]
        table = Table(
            f"{new[:15]} {place}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column(new, Integer, Identity(), nullable=False, info=hinted(old, new)),
            CheckConstraint(column("id") > 0, name=new, info=hinted(old, new)),
            schema=hurting_names.SCHEMA,
            info=hinted(f"{old[:15]} {place}", f"{new[:15]} {place}"),
        )
        Index(f"{new[:15]}_{place}", table.c.id).info.update(
            hinted(f"{old[:15]}_{place}", f"{new[:15]}_{place}")
        )
    return metadata


RENAME_SAMPLES = (
    Sample("table", "renamed", partial(library, "volume"), library),
    Sample(
        "table",
        "renamed with its columns, by a naming convention",
        partial(library, "volume", "publication_year", key="key", convention=CONVENTION),
        partial(library, convention=CONVENTION),
    ),
    Sample("column", "renamed", partial(library, year="publication_year", key="key"), library),
    Sample(
        "column",
        "renamed, so long that names are cut",
        partial(library, "v" * 59, "y" * 63, key="é" * 31),
        library,
    ),
    Sample("constraint", "renamed", partial(parts, is_after=True), partial(parts, is_after=False)),
    Sample(
        "enum",
        "labels renamed",
        partial(labels, "pending", "ready"),
        partial(labels, "waiting", "done"),
    ),
    Sample(
        "enum",
        "labels renamed, added and dropped",
        partial(labels, "pending", "ready", "new"),
        partial(labels, "waiting", "done", "old"),
    ),
    Sample(
        "table",
        "names that hurt renamed",
        partial(hurting, 1),
        partial(hurting, 0),
        setup=hurting_names.SETUP,
    ),
)
"""Everything that a hint can be on."""
