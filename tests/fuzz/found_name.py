"""Pairs in which a name passes from what goes to what comes, of every sort that shares names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations

from tests.fuzz.draw_pair import Pair
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
    Place,
    SchemaSpec,
    SequenceSpec,
    TableSpec,
)

COLUMNS = (ColumnSpec("c1", "integer", nullable=False), ColumnSpec("c2", "integer"))
ONE = Expression("{0}", ("c1",))
REFERRED = TableSpec("", "referred", COLUMNS, primary_key=KeySpec("referred_key", ("c1",)))


def _table(name: str) -> TableSpec:
    return TableSpec("", name, COLUMNS)


def _partitioned(name: str, *children: str) -> TableSpec:
    # A table whose models declare no partition keeps those that it has.
    bounds = {f"{name}_rest": "DEFAULT", **dict.fromkeys(children, "FROM (0) TO (10)")}
    return replace(_table(name), partition=PartitionSpec("RANGE", ("c1",), (*bounds.items(),)))


def _with(sort: str, name: str, table: str) -> SchemaSpec:
    """Describe a table, and something that has a name: in the table, or beside it."""
    one = _table(table)
    enum, sequence = EnumSpec("", name, ("a", "b")), SequenceSpec("", name)
    typed = replace(one, columns=(*COLUMNS, ColumnSpec("c3", f"enum:\t{name}")))
    unique = KeySpec(name, ("c1",))
    return {
        "table": SchemaSpec((one, _table(name))),
        "partitioned table": SchemaSpec((one, _partitioned(name))),
        "partition": SchemaSpec((_partitioned(table, name),)),
        "index": SchemaSpec((replace(one, indexes=(IndexSpec(name, (ElementSpec(ONE),)),)),)),
        "unique": SchemaSpec((replace(one, uniques=(unique,)),)),
        "primary key": SchemaSpec((replace(one, primary_key=unique),)),
        "exclusion": SchemaSpec(
            (replace(one, exclusions=(ExclusionSpec(name, "btree", (("c1", "="),)),)),)
        ),
        "check": SchemaSpec(
            (replace(one, checks=(CheckSpec(name, Expression("{0} > 0", ("c1",))),)),)
        ),
        "foreign key": SchemaSpec(
            (
                REFERRED,
                replace(
                    one,
                    foreign_keys=(ForeignKeySpec(name, ("c2",), REFERRED.place, ("c1",)),),
                ),
            )
        ),
        "enum": SchemaSpec((typed,), (enum,)),
        "sequence": SchemaSpec((one,), (), (sequence,)),
        "owned sequence": SchemaSpec((one,), (), (replace(sequence, owner=("", table, "c1")),)),
    }[sort]


SORTS = (
    "table",
    "partitioned table",
    "partition",
    "index",
    "unique",
    "primary key",
    "exclusion",
    "check",
    "foreign key",
    "enum",
    "sequence",
    "owned sequence",
)


def _passing(first: str, second: str, number: str = "") -> Pair:
    """Let a name pass from something in a table, or beside it, to something else."""
    name, table = f"x{number}", f"t{number}"
    is_parted = "partition" in (first, second)
    plain = _partitioned(table) if is_parted else _table(table)
    before, after = (
        replace(spec, tables=tuple(_like(plain, one) for one in spec.tables))
        for spec in (_with(first, name, table), _with(second, name, table))
    )
    return Pair(before, after, is_created=True)


def _like(plain: TableSpec, table: TableSpec) -> TableSpec:
    if table.name == plain.name and table.partition is None:
        return replace(table, partition=plain.partition)
    return table


def _together(specs: Iterable[SchemaSpec]) -> SchemaSpec:
    tables: dict[Place, TableSpec] = {}
    enums: list[EnumSpec] = []
    sequences: list[SequenceSpec] = []
    for spec in specs:
        tables |= {one.place: one for one in spec.tables}
        enums += spec.enums
        sequences += spec.sequences
    return SchemaSpec((*tables.values(),), (*enums,), (*sequences,))


_SORTS = [
    (first, second)
    for first, second in permutations(SORTS, 2)
    # No exclusion constraint is drawn in a partitioned table, and none becomes one.
    if {first, second} not in ({"table", "partitioned table"}, {"partition", "exclusion"})
]
PASSING: dict[str, Pair] = {
    f"a name that passes: {first}, {second}": _passing(first, second) for first, second in _SORTS
}
_NUMBERED = [_passing(*sorts, str(number)) for number, sorts in enumerate(_SORTS)]
ALL_PASSING = Pair(
    _together(one.before for one in _NUMBERED),
    _together(one.after for one in _NUMBERED),
    is_created=True,
)
"""All of them in one revision."""
