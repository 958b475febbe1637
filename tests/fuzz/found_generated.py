"""Pairs that the fuzzer has found: generated columns beside what minds them, and identities."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    CheckSpec,
    ColumnSpec,
    Expression,
    IdentitySpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
)


def _checked(expression: str) -> SchemaSpec:
    used = ("c1",) * (1 + expression.count("{1}"))
    virtual = ColumnSpec("c2", "integer", generated=Expression(expression, used), stored=False)
    check = CheckSpec("ck", Expression("{0} BETWEEN 1 AND 100", ("c1",)))
    columns = (ColumnSpec("c1", "integer"), virtual)
    return SchemaSpec((TableSpec("", "t", columns, checks=(check,)),))


def _keyed(included: bool) -> SchemaSpec:
    """A key that includes a column, or the same column generated, which no key may include."""
    key = KeySpec("pk", ("c1",), include=("c2",) if included else ())
    virtual = Expression("{0} || '%'::text", ("c1",)) if not included else None
    columns = (
        ColumnSpec("c1", "text", nullable=False),
        ColumnSpec("c2", "text", generated=virtual, stored=included),
    )
    return SchemaSpec((TableSpec("", "t", columns, primary_key=key),))


def _made_of(becomes_plain: bool, *, stored: bool) -> SchemaSpec:
    """A generated column, and one that it is made of once that is a plain one."""
    of_third, of_first = (Expression("{0} IS NULL", (name,)) for name in ("c3", "c1"))
    first = ColumnSpec("c1", "boolean")
    if not becomes_plain:
        first = replace(first, generated=of_third, stored=stored)
    made = of_first if becomes_plain else of_third
    second = ColumnSpec("c2", "boolean", generated=made, stored=not stored)
    return SchemaSpec((TableSpec("", "t", (first, second, ColumnSpec("c3", "date"))),))


def _of_another_type(after: bool, *, stored: bool) -> SchemaSpec:
    """A generated column whose type changes with what it is made of."""
    made = Expression("length({0})" if after else "{0} IS NULL", ("c3" if after else "c2",))
    columns = (
        ColumnSpec("c1", "integer" if after else "boolean", generated=made, stored=stored),
        ColumnSpec("c2", "varchar(20)" if after else "text"),
        ColumnSpec("c3", "text"),
    )
    return SchemaSpec((TableSpec("", "t", columns),))


def _inherited(is_listed: bool) -> SchemaSpec:
    """A column that lies at another place in the table that inherits it, once it has gone back."""
    generated = None if is_listed else Expression("length({0})", ("c1",))
    numbered = ColumnSpec("c2", "integer[]" if is_listed else "integer", generated=generated)
    parent = TableSpec("", "t", (ColumnSpec("c1", "char(12)"), numbered))
    child = TableSpec("", "u", (ColumnSpec("c3", "varchar(80)"),), inherits=("", "t"))
    return SchemaSpec((parent, child))


def _counting(identity: IdentitySpec) -> SchemaSpec:
    column = ColumnSpec("c1", "integer", nullable=False, identity=identity)
    return SchemaSpec((TableSpec("", "t", (column,)),))


GENERATING: dict[str, Pair] = {
    "an identity whose position lies below its new limits": Pair(
        _counting(IdentitySpec(always=True, minimum=-1000)), _counting(IdentitySpec())
    ),
    "a stored column is of another type, and made of another column": Pair(
        _of_another_type(False, stored=True), _of_another_type(True, stored=True)
    ),
    "a virtual column is of another type, and made of another column": Pair(
        _of_another_type(False, stored=False), _of_another_type(True, stored=False)
    ),
    "a generated column is made of another one, which is a plain one since": Pair(
        _made_of(False, stored=False), _made_of(True, stored=False)
    ),
    "a virtual column is made of a stored one, which is a plain one since": Pair(
        _made_of(False, stored=True), _made_of(True, stored=True)
    ),
    "another expression of a virtual column in a table with a check": Pair(
        _checked("{0} * 2"), _checked("{0} + {1}")
    ),
    "a column that a key no longer includes becomes virtual": Pair(_keyed(True), _keyed(False)),
    "an inherited column that becomes an array": Pair(
        _inherited(False), _inherited(True), is_created=True
    ),
}
