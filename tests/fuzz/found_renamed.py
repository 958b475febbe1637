"""Pairs with renames that have failed once, each made small, under what they are about."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    ColumnSpec,
    ElementSpec,
    Expression,
    IndexSpec,
    SchemaSpec,
    TableSpec,
)

INTEGER = ColumnSpec("c1", "integer")
RENAMED_COLUMN = ColumnSpec("c4", "text", storage="MAIN", statistics=100, comment="x", was="c1")


def _inherited(column: ColumnSpec, *, is_inherited: bool) -> SchemaSpec:
    child = TableSpec("", "t2", (ColumnSpec("c2", "integer"),), inherits=("", "t1"))
    tables = (TableSpec("", "t1", (column, ColumnSpec("c3", "date"))), child)
    return SchemaSpec(tables if is_inherited else tables[:1])


def _indexed_twice(*, renamed: bool) -> SchemaSpec:
    """Two tables, the index's name on the one or the other."""
    index = IndexSpec("ix", (ElementSpec(Expression("{0}", ("c1",))),))
    other = ColumnSpec("c3", "date", was="c2") if renamed else ColumnSpec("c2", "date")
    second = TableSpec("", "t2", (INTEGER, other), indexes=(index,))
    first = TableSpec("", "t1", (INTEGER,))
    if renamed:
        second = replace(second, indexes=(replace(index, name="other"),))
        first = replace(first, indexes=(index,))
    return SchemaSpec((first, second))


RENAMED: dict[str, Pair] = {
    "a renamed column that a table inherits and that changes": Pair(
        _inherited(ColumnSpec("c1", "text"), is_inherited=True),
        _inherited(RENAMED_COLUMN, is_inherited=True),
    ),
    "a renamed column that a new table inherits": Pair(
        _inherited(ColumnSpec("c1", "text"), is_inherited=False),
        _inherited(RENAMED_COLUMN, is_inherited=True),
    ),
    "an index of a table with a rename, whose name another table's gets": Pair(
        _indexed_twice(renamed=False), _indexed_twice(renamed=True)
    ),
}
