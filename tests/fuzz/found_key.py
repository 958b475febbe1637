"""Pairs that the fuzzer has found: keys that change below the foreign keys of whole tables."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    ColumnSpec,
    ElementSpec,
    EnumSpec,
    Expression,
    ForeignKeySpec,
    IdentitySpec,
    IndexSpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
)

TEXT = ColumnSpec("c1", "text", nullable=False)


def _referring(key: KeySpec, *columns: ColumnSpec) -> SchemaSpec:
    referring = ForeignKeySpec("fk", ("c3",), ("", "t1"), key.columns)
    return SchemaSpec(
        (
            TableSpec("", "t1", columns, primary_key=key),
            TableSpec("", "t2", (ColumnSpec("c3", "text"),), foreign_keys=(referring,)),
        )
    )


def _alone(*columns: ColumnSpec) -> SchemaSpec:
    return SchemaSpec((TableSpec("", "t1", columns),))


def _counted(*columns: ColumnSpec) -> SchemaSpec:
    child = TableSpec("", "t2", (ColumnSpec("c2", "interval"),), inherits=("", "t1"))
    return SchemaSpec((TableSpec("", "t1", (TEXT, *columns)), child))


def _found_by(index: str) -> SchemaSpec:
    """A table whose rows replication finds by an index, or not: its columns may be NULL then."""
    unique = IndexSpec(index, (ElementSpec(Expression("{0}", ("c1",))),), unique=True)
    table = TableSpec("", "t", (ColumnSpec("c1", "integer", nullable=not index),))
    if index:
        table = replace(table, indexes=(unique,), replica_identity=f"i:{index}")
    return SchemaSpec((table,))


def _referring_to(table: str, type_: str) -> SchemaSpec:
    """A foreign key to the one table, or to the other, whose column has one type or another."""
    key = ForeignKeySpec("fk", ("c1",), ("", table), ("c2",))
    enum = EnumSpec("", "e1", ("a",))
    one, two = (
        TableSpec("", name, (ColumnSpec("c2", used),), uniques=(KeySpec(f"uq_{name}", ("c2",)),))
        for name, used in (("t1", "text"), ("t2", type_))
    )
    three = TableSpec("", "t3", (ColumnSpec("c1", "text"),), foreign_keys=(key,))
    return SchemaSpec((one, two, three), (enum,))


KEYED: dict[str, Pair] = {
    "a foreign key to another column, which could not be referred to before": Pair(
        _referring_to("t1", "enum:\te1"), _referring_to("t2", "text")
    ),
    "an index that replication goes by, with the NOT NULL of its column": Pair(
        _found_by("ix"), _found_by("")
    ),
    "another index that replication goes by": Pair(_found_by("ix1"), _found_by("ix2")),
    "a table that goes and refers to a key of a column that goes": Pair(
        _alone(TEXT), _referring(KeySpec("pk", ("c2",)), TEXT, ColumnSpec("c2", "text", False))
    ),
    "a table that goes and refers to a key of a column that changes its type": Pair(
        _referring(KeySpec("pk", ("c1",)), TEXT), _alone(ColumnSpec("c1", "integer"))
    ),
    "a table that comes and one that goes and refer to keys of one name": Pair(
        _referring(KeySpec("pk", ("c1",)), TEXT, ColumnSpec("c2", "text", False)),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t1",
                    (TEXT, ColumnSpec("c2", "text", False)),
                    primary_key=KeySpec("pk", ("c2",)),
                ),
                TableSpec(
                    "",
                    "t3",
                    (ColumnSpec("c3", "text"),),
                    foreign_keys=(ForeignKeySpec("fk", ("c3",), ("", "t1"), ("c2",)),),
                ),
            )
        ),
    ),
    "an identity column of a table that another inherits from": Pair(
        _counted(),
        _counted(ColumnSpec("c3", "bigint", nullable=False, identity=IdentitySpec())),
    ),
}


def _coded(generic: str, text: str) -> SchemaSpec:
    """A foreign key on a column compared by an operator of many types, and on a text."""
    columns = (ColumnSpec("c1", text), ColumnSpec("c2", generic))
    key = ForeignKeySpec("fk", ("c2", "c1"), ("", "t1"), ("c2", "c1"), comment="kept")
    return SchemaSpec(
        (
            TableSpec("", "t1", columns, uniques=(KeySpec("uq", ("c2", "c1")),)),
            TableSpec("", "t2", columns, foreign_keys=(key,)),
        ),
        (EnumSpec("", "e1", ("a", "b")),),
    )


KEYED |= {
    f"a foreign key on {name} and on a text that becomes longer": Pair(
        _coded(generic, "varchar(20)"), _coded(generic, "varchar(80)")
    )
    for name, generic in (
        ("an enum", "enum:\te1"),
        ("an array", "integer[]"),
        ("a range", "int4range"),
    )
}
