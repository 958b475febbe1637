"""Pairs that the fuzzer has found: generated columns beside what minds them."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import CheckSpec, ColumnSpec, Expression, KeySpec, SchemaSpec, TableSpec


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


GENERATING: dict[str, Pair] = {
    "another expression of a virtual column in a table with a check": Pair(
        _checked("{0} * 2"), _checked("{0} + {1}")
    ),
    "a column that a key no longer includes becomes virtual": Pair(_keyed(True), _keyed(False)),
}
