"""Pairs that the fuzzer has found: exclusion constraints whose condition names other columns."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import ColumnSpec, ExclusionSpec, Expression, SchemaSpec, TableSpec


def _with_condition(column: ColumnSpec, template: str) -> SchemaSpec:
    where = Expression(template, (column.name,) * (1 + template.count("{1}")))
    exclusion = ExclusionSpec("ex", "btree", (("c1", "="),), where=where)
    columns = (ColumnSpec("c1", "integer"), column)
    return SchemaSpec((TableSpec("", "t", columns, exclusions=(exclusion,)),))


def _without(*columns: ColumnSpec) -> SchemaSpec:
    exclusion = ExclusionSpec("ex", "btree", (("c1", "="),))
    columns = (ColumnSpec("c1", "integer"), *columns)
    return SchemaSpec((TableSpec("", "t", columns, exclusions=(exclusion,)),))


EXCLUDING: dict[str, Pair] = {
    "a condition that goes with the type of its column": Pair(
        _with_condition(ColumnSpec("c2", "integer[]"), "cardinality({0}) < 10"),
        _without(ColumnSpec("c2", "text")),
    ),
    "a condition that goes with its column": Pair(
        _with_condition(ColumnSpec("c2", "integer"), "{0} + 1 > {1} OR {0} IS NULL"), _without()
    ),
}
