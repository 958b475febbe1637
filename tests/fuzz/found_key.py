"""Pairs that the fuzzer has found: keys that change below the foreign keys of whole tables."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    ColumnSpec,
    ForeignKeySpec,
    IdentitySpec,
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


KEYED: dict[str, Pair] = {
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
