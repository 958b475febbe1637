"""Pairs that have failed once, each made small, under what they are about."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import (
    ColumnSpec,
    EnumSpec,
    Expression,
    ForeignKeySpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
)

INTEGER = ColumnSpec("c1", "integer")
COUNTED = ColumnSpec("c1", "integer", nullable=False, serial=True)
WITH_INCLUDE = KeySpec("pk", ("c1",), include=("c2",))

FOUND: dict[str, Pair] = {
    "a serial column in a key of two": Pair(
        SchemaSpec(),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (COUNTED, ColumnSpec("c2", "date", nullable=False)),
                    KeySpec("pk", ("c1", "c2")),
                ),
            )
        ),
    ),
    "a foreign key of a new table to a key that CREATE TABLE cannot say": Pair(
        SchemaSpec(),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (ColumnSpec("c1", "integer", nullable=False), ColumnSpec("c2", "text")),
                    WITH_INCLUDE,
                    foreign_keys=(ForeignKeySpec("fk", ("c1",), ("", "t"), ("c1",)),),
                ),
            )
        ),
    ),
    "a label's removal from an enum that a key includes": Pair(
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (ColumnSpec("c1", "integer"), ColumnSpec("c2", "enum:\te")),
                    uniques=(KeySpec("uq", ("c1",), include=("c2",)),),
                    foreign_keys=(ForeignKeySpec("fk", ("c1",), ("", "t"), ("c1",)),),
                ),
            ),
            (EnumSpec("", "e", ("a", "b")),),
        ),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (ColumnSpec("c1", "integer"), ColumnSpec("c2", "enum:\te")),
                    uniques=(KeySpec("uq", ("c1",), include=("c2",)),),
                    foreign_keys=(ForeignKeySpec("fk", ("c1",), ("", "t"), ("c1",)),),
                ),
            ),
            (EnumSpec("", "e", ("a",)),),
        ),
    ),
    "a column that becomes generated from one whose type changes": Pair(
        SchemaSpec(
            (TableSpec("", "t", (ColumnSpec("c1", "enum:\te[]"), ColumnSpec("c2", "enum:\te"))),),
            (EnumSpec("", "e", ("a",)),),
        ),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (
                        ColumnSpec(
                            "c1",
                            "text",
                            generated=Expression("{0} || '%'::text", ("c2",)),
                            stored=False,
                        ),
                        ColumnSpec("c2", "text"),
                    ),
                ),
            ),
        ),
    ),
    "a generated column that stays while what it is made of changes": Pair(
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (
                        ColumnSpec("c1", "integer", generated=Expression("length({0})", ("c2",))),
                        ColumnSpec("c2", "varchar(20)"),
                    ),
                ),
            )
        ),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (
                        ColumnSpec("c1", "integer", generated=Expression("length({0})", ("c2",))),
                        ColumnSpec("c2", "text"),
                    ),
                ),
            )
        ),
    ),
}
