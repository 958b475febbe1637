"""Samples of tables that inherit from others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text
from sqlalchemy.sql import quoted_name

from pgmigrations.migrate.core.quoting import identifier, qualified
from tests.contract.contract import Sample


def family(
    parent: Sequence[Any] = (),
    child: Sequence[Any] = (),
    *,
    inherits: bool = True,
    names: tuple[str, str] = ("parent", "child"),
    schema: str | None = None,
) -> MetaData:
    """A table and one that inherits from it; columns are named by strings or given as triples."""
    metadata = MetaData()
    above = Table(names[0], metadata, Column("id", Integer), *_items(parent), schema=schema)
    words: dict[str, Any] = {}
    if inherits:
        # SQLAlchemy takes a qualified name for one name, unless it is quoted already.
        place = quoted_name(qualified(schema, names[0]), False)
        words["postgresql_inherits"] = place if schema else names[0]
    below = Table(names[1], metadata, Column("b", Integer), *_items(child), schema=schema, **words)
    if inherits:
        below.add_is_dependent_on(above)
    return metadata


def _items(said: Sequence[Any]) -> list[Any]:
    """Build the items anew each time: each belongs to one table."""
    return [
        CheckConstraint(one, name="k") if isinstance(one, str) else Column(one[0], one[1], **one[2])
        for one in said
    ]


A: tuple[str, Any, dict[str, Any]] = ("a", Integer, {})
A_TEXT: tuple[str, Any, dict[str, Any]] = ("a", Text, {})
A_FULL: tuple[str, Any, dict[str, Any]] = ("a", Integer, {"nullable": False, "server_default": "5"})
ID: tuple[str, Any, dict[str, Any]] = ("id", Integer, {})
_BELOW_FIRST = ("z_parent", "a_child")
# SQLAlchemy itself takes % in a name that is quoted already for a parameter's.
_SCHEMA = 'it"s.'
_IN_A_SCHEMA: dict[str, Any] = {"names": ('say "parent"', "'child' :x"), "schema": _SCHEMA}

BUILDERS: dict[str, tuple[partial[MetaData], partial[MetaData]]] = {
    "a column more": (partial(family), partial(family, [A])),
    "a column more, seen first below": (
        partial(family, names=_BELOW_FIRST),
        partial(family, [A], names=_BELOW_FIRST),
    ),
    "a column less": (partial(family, [A]), partial(family)),
    "another type": (partial(family, [A]), partial(family, [A_TEXT])),
    "another type, seen first below": (
        partial(family, [A], names=_BELOW_FIRST),
        partial(family, [A_TEXT], names=_BELOW_FIRST),
    ),
    "NOT NULL and a default": (partial(family, [A]), partial(family, [A_FULL])),
    "a check": (partial(family, [A]), partial(family, [A, "a > 0"])),
    "a check reworded": (partial(family, [A, "a > 1"]), partial(family, [A, "a > 0"])),
    "a parent from now on": (partial(family, [], [ID], inherits=False), partial(family, [], [ID])),
    "a parent no more": (partial(family, [], [ID]), partial(family, [], [ID], inherits=False)),
}

INHERITANCE_SAMPLES = (
    *(
        Sample("table", f"inheritance: {name}", after, before, rewrites=True)
        for name, (before, after) in BUILDERS.items()
    ),
    Sample("table", "inheritance: a new family", partial(family, [A])),
    Sample("table", "inheritance: a family that goes", MetaData, partial(family, [A, "a > 0"])),
    Sample(
        "table",
        "inheritance: a new family in a schema whose name hurts",
        partial(family, [A], **_IN_A_SCHEMA),
        setup=[f"CREATE SCHEMA {identifier(_SCHEMA)}"],
    ),
)
