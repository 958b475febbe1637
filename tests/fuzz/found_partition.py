"""Pairs that the fuzzer has found: partitions that take the names of others."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    ColumnSpec,
    ElementSpec,
    Expression,
    IndexSpec,
    PartitionSpec,
    SchemaSpec,
    TableSpec,
)

INTEGER = ColumnSpec("c1", "integer")


def _parted(*names: str, of: str) -> SchemaSpec:
    """Two tables, one of which is partitioned."""
    bounds = ("FROM (0) TO (10)", "FROM (10) TO (20)")
    partition = PartitionSpec("RANGE", ("c1",), tuple(zip(names, bounds, strict=False)))
    others = [TableSpec("", name, (INTEGER,)) for name in ("t1", "t2") if name != of]
    return SchemaSpec((*others, TableSpec("", of, (INTEGER,), partition=partition)))


def _both_parted(first: str, second: str) -> SchemaSpec:
    specs = (_parted(first, of="t1"), _parted(second, of="t2"))
    return SchemaSpec(tuple(one for spec in specs for one in spec.tables if one.partition))


def _indexed(*indexes: IndexSpec) -> SchemaSpec:
    partition = PartitionSpec("LIST", ("c1",), (("p1", "IN ('a')"),))
    text = ColumnSpec("c1", "text")
    return SchemaSpec((TableSpec("", "t1", (text,), partition=partition, indexes=indexes),))


def _index(name: str, expression: str) -> IndexSpec:
    return IndexSpec(name, (ElementSpec(Expression(expression, ("c1",))),))


PARTED: dict[str, Pair] = {
    "an index of a partition that gets the name which one that changes has had": Pair(
        _indexed(_index("ix1", "({0} || '%s')"), _index("ix2", "{0}")),
        _indexed(_index("ix2", "({0} IS NULL)")),
    ),
    "partitions of two tables that change their names": Pair(
        _both_parted("p1", "p2"), _both_parted("p2", "p1")
    ),
    "a partition of the name that one of a table has that goes": Pair(
        SchemaSpec(_parted("p1", of="t2").tables[1:]),
        SchemaSpec(_parted("p1", of="t1").tables[1:]),
    ),
}
