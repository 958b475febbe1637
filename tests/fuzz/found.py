"""Pairs that have failed once, each made small, under what they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fuzz.draw_pair import Pair
from tests.fuzz.found_counting import COUNTING
from tests.fuzz.found_exclusion import EXCLUDING
from tests.fuzz.found_generated import GENERATING
from tests.fuzz.found_key import KEYED
from tests.fuzz.found_partition import PARTED
from tests.fuzz.found_renamed import RENAMED
from tests.fuzz.spec import (
    CheckSpec,
    ColumnSpec,
    ElementSpec,
    EnumSpec,
    ExclusionSpec,
    Expression,
    ForeignKeySpec,
    IndexSpec,
    KeySpec,
    PartitionSpec,
    SchemaSpec,
    SequenceSpec,
    TableSpec,
)

INTEGER = ColumnSpec("c1", "integer")
COUNTED = ColumnSpec("c1", "integer", nullable=False, serial=True)
WITH_INCLUDE = KeySpec("pk", ("c1",), include=("c2",))


def _checked(type_: str) -> SchemaSpec:
    check = CheckSpec("ck", Expression("{0} BETWEEN 1 AND 100", ("c1",)))
    return SchemaSpec((TableSpec("", "t", (ColumnSpec("c1", type_),), checks=(check,)),))


def _indexed(*tables: str) -> SchemaSpec:
    index = IndexSpec("ix", (ElementSpec(Expression("{0}", ("c1",))),))
    plain = [TableSpec("", name, (INTEGER,)) for name in tables]
    return SchemaSpec((replace(plain[0], indexes=(index,)), *plain[1:]))


def _referring(*, unlogged: bool, to: str) -> SchemaSpec:
    unique = KeySpec("uq1", ("c1",))
    key = ForeignKeySpec("fk", ("c1",), ("", to), ("c1",))
    other = TableSpec("", "t2", (INTEGER,), uniques=(KeySpec("uq2", ("c1",)),))
    return SchemaSpec(
        (
            TableSpec("", "t1", (INTEGER,), uniques=(unique,), unlogged=unlogged),
            replace(other, foreign_keys=(key,)),
        )
    )


def _both_logged(is_logged: bool) -> SchemaSpec:
    spec = _referring(unlogged=not is_logged, to="t1")
    return SchemaSpec((spec.tables[0], replace(spec.tables[1], unlogged=not is_logged)))


def _owned(owner: tuple[str, ...], table: str = "t") -> SchemaSpec:
    return SchemaSpec(
        (TableSpec("", table, (INTEGER,)),), sequences=(SequenceSpec("", "s", owner=owner),)
    )


def _partitioned(**properties: Any) -> SchemaSpec:
    columns = (INTEGER, ColumnSpec("c2", "text", **properties))
    partition = PartitionSpec("RANGE", ("c1",), (("p", "FROM (0) TO (10)"),))
    return SchemaSpec((TableSpec("", "t", columns, partition=partition),))


def _keyed(*keys: KeySpec, type_: str = "integer") -> SchemaSpec:
    columns = (INTEGER, ColumnSpec("c2", "text"), ColumnSpec("c3", type_))
    key = ForeignKeySpec("fk", ("c1", "c2"), ("", "t"), ("c1", "c2"))
    return SchemaSpec((TableSpec("", "t", columns, uniques=keys, foreign_keys=(key,)),))


def _virtual(*, stored: bool, on: tuple[str, ...]) -> SchemaSpec:
    generated = ColumnSpec("c2", "integer", generated=Expression("{0} * 2", ("c1",)), stored=stored)
    index = IndexSpec("ix", (ElementSpec(Expression("{0}", on)),))
    return SchemaSpec((TableSpec("", "t", (INTEGER, generated), indexes=(index,)),))


def _chained(type_: str) -> SchemaSpec:
    key = ForeignKeySpec("fk", ("c1",), ("", "t"), ("c1",))
    columns = (ColumnSpec("c1", type_, nullable=False),)
    return SchemaSpec((TableSpec("", "t", columns, KeySpec("pk", ("c1",)), foreign_keys=(key,)),))


def _generated_key(
    *, generated: bool, key: tuple[str, ...], include: tuple[str, ...]
) -> SchemaSpec:
    made = Expression("length({0})", ("c3",)) if generated else None
    columns = (
        ColumnSpec("c1", "integer", nullable=False, generated=made),
        ColumnSpec("c2", "integer", nullable=False),
        ColumnSpec("c3", "text"),
    )
    primary = KeySpec("pk", key, include=include)
    foreign = ForeignKeySpec("fk", ("c2",), ("", "t"), key)
    return SchemaSpec((TableSpec("", "t", columns, primary, foreign_keys=(foreign,)),))


def _key_for_new(name: str, *, is_used: bool) -> SchemaSpec:
    key = ForeignKeySpec("fk", ("c1",), ("", "t1"), ("c1",))
    tables = [
        TableSpec("", "t1", (ColumnSpec("c1", "integer", nullable=False),), KeySpec(name, ("c1",))),
        TableSpec("", "t2", (INTEGER,), foreign_keys=(key,)),
    ]
    return SchemaSpec(tuple(tables if is_used else tables[:1]))


def _compressed(*, is_enum: bool) -> SchemaSpec:
    type_, compression = ("enum:\te", "") if is_enum else ("text", "pglz")
    parent = TableSpec("", "t1", (ColumnSpec("c1", type_, compression=compression),))
    child = TableSpec("", "t2", (ColumnSpec("c2", type_),), inherits=("", "t1"))
    return SchemaSpec((parent, child), (EnumSpec("", "e", ("a", "b")),) if is_enum else ())


def _checked_above(*, child: bool) -> SchemaSpec:
    columns = (ColumnSpec("c1", "integer"), ColumnSpec("c2", "date"))
    check = CheckSpec("ck", Expression("{0} IS NOT NULL", ("c3" if child else "c1",)))
    parent = TableSpec("", "t1", columns, checks=() if child else (check,))
    kept, gone = ColumnSpec("c4", "date"), ColumnSpec("c3", "date")
    heir = TableSpec("", "t2", (kept,), inherits=("", "t1"))
    if child:
        heir = replace(heir, columns=(kept, gone), checks=(check,))
    return SchemaSpec((parent, heir))


def _commented(comment: str) -> SchemaSpec:
    check = CheckSpec("ck", Expression("{0} IN ('1', '2', 'c')", ("c1",)), comment=comment)
    columns = (ColumnSpec("c1", "varchar(80)"),)
    return SchemaSpec((TableSpec("", "t", columns, checks=(check,)),))


def _excluding(*, generated: bool) -> SchemaSpec:
    made = Expression("{0} IS NULL", ("c1",)) if generated else None
    exclusion = ExclusionSpec(
        "ex", "btree", (("c1", "="),), where=Expression("{0} IS NOT FALSE", ("c2",))
    )
    columns = (INTEGER, ColumnSpec("c2", "boolean", generated=made))
    return SchemaSpec((TableSpec("", "t", columns, exclusions=(exclusion,)),))


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
    "a check whose words mean the same before its column changes": Pair(
        _checked("numeric(12,2)"), _checked("integer")
    ),
    "two foreign keys on a serial column in a key of two": Pair(
        SchemaSpec(),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t1",
                    (ColumnSpec("c1", "integer"),),
                    uniques=(KeySpec("uq", ("c1",)),),
                ),
                TableSpec(
                    "",
                    "t2",
                    (COUNTED, ColumnSpec("c2", "date", nullable=False)),
                    KeySpec("pk", ("c1", "c2")),
                    foreign_keys=(
                        ForeignKeySpec("fk1", ("c1",), ("", "t1"), ("c1",), not_valid=True),
                        ForeignKeySpec("fk2", ("c1",), ("", "t1"), ("c1",)),
                    ),
                ),
            )
        ),
    ),
    "an index whose name moves to another table": Pair(
        _indexed("t1", "t2"),
        _indexed("t2", "t1"),
    ),
    "a table that becomes unlogged when a foreign key leaves it": Pair(
        _referring(unlogged=False, to="t1"), _referring(unlogged=True, to="t2")
    ),
    "two tables that become unlogged together": Pair(_both_logged(True), _both_logged(False)),
    "a new sequence that a new table owns": Pair(SchemaSpec(), _owned(("", "t", "c1"))),
    "a sequence that a new table comes to own": Pair(
        SchemaSpec(sequences=(SequenceSpec("", "s"),)), _owned(("", "t", "c1"))
    ),
    "a sequence whose owner goes and another comes": Pair(
        _owned(("", "t", "c1")), _owned(("", "u", "c1"), "u")
    ),
    "compression of a table's column before its partition is made": Pair(
        SchemaSpec(), _partitioned(compression="pglz")
    ),
    "compression of a column whose values are in a partition": Pair(
        _partitioned(), _partitioned(compression="pglz")
    ),
    "statistics of a table's column and not of its partition's": Pair(
        SchemaSpec(), _partitioned(statistics=500)
    ),
    "other statistics of a table's column and not of its partition's": Pair(
        _partitioned(), _partitioned(statistics=500)
    ),
    "arrays at both ends of a foreign key": Pair(_chained("bigint[]"), _chained("integer[]")),
    "a key that a foreign key may rest on and that goes": Pair(
        _keyed(KeySpec("uq", ("c1", "c2"))),
        _keyed(KeySpec("uq", ("c1", "c2")), KeySpec("a", ("c2", "c1"))),
    ),
    "a type of what a key includes, with a foreign key to it": Pair(
        _keyed(KeySpec("uq", ("c1", "c2"), include=("c3",))),
        _keyed(KeySpec("uq", ("c1", "c2"), include=("c3",)), type_="bigint"),
    ),
    "names that the driver would read, where SQLAlchemy passes them on": Pair(
        SchemaSpec(),
        SchemaSpec(
            (
                TableSpec("other", "100%", (INTEGER,)),
                TableSpec("other", "t1", (ColumnSpec("c2", "text"),), inherits=("other", "100%")),
                TableSpec(
                    "",
                    "t2",
                    (ColumnSpec("%(x)s", "integer"),),
                    partition=PartitionSpec("HASH", ("%(x)s",)),
                ),
            )
        ),
        is_created=True,
    ),
    "an index that lets go of a column that becomes virtual": Pair(
        _virtual(stored=True, on=("c2",)), _virtual(stored=False, on=("c1",))
    ),
    "storage parameters of a TOAST table that comes and goes": Pair(
        SchemaSpec((TableSpec("", "t", (INTEGER,)),)),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (ColumnSpec("c1", "text"),),
                    options=(("autovacuum_enabled", "false"), ("toast.autovacuum_enabled", "off")),
                ),
            )
        ),
    ),
    "a column with statistics that becomes virtual": Pair(
        SchemaSpec((TableSpec("", "t", (INTEGER, ColumnSpec("c2", "integer", statistics=0))),)),
        SchemaSpec(
            (
                TableSpec(
                    "",
                    "t",
                    (
                        INTEGER,
                        ColumnSpec(
                            "c2", "integer", generated=Expression("{0} * 2", ("c1",)), stored=False
                        ),
                    ),
                ),
            )
        ),
    ),
    "a column that becomes generated in what a key includes": Pair(
        _generated_key(generated=False, key=("c2",), include=("c1",)),
        _generated_key(generated=True, key=("c2",), include=("c1",)),
    ),
    "a generated column that a foreign key refers to and that becomes plain": Pair(
        _generated_key(generated=True, key=("c1",), include=()),
        _generated_key(generated=False, key=("c1",), include=()),
    ),
    "a primary key that replaces another and that a new table refers to": Pair(
        _key_for_new("pk1", is_used=False), _key_for_new("pk2", is_used=True)
    ),
    "compression of an inherited column that gets its type from its parent": Pair(
        _compressed(is_enum=True), _compressed(is_enum=False)
    ),
    "a check whose name moves from a table to the one that it inherits from": Pair(
        _checked_above(child=True), _checked_above(child=False)
    ),
    "a column that becomes generated in the condition of an exclusion constraint": Pair(
        _excluding(generated=False), _excluding(generated=True)
    ),
    "the comment of a check that prints otherwise after a revision": Pair(
        _commented("x"), _commented("y")
    ),
    **COUNTING,
    **EXCLUDING,
    **GENERATING,
    **KEYED,
    **PARTED,
    **RENAMED,
}
