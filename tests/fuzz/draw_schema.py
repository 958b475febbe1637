"""Drawing whole tables and whole schemas at random."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw import Drawing
from tests.fuzz.expression import fits
from tests.fuzz.name import SCHEMAS, draw_name
from tests.fuzz.spec import (
    ColumnSpec,
    EnumSpec,
    PartitionSpec,
    SchemaSpec,
    SequenceSpec,
    TableSpec,
)
from tests.fuzz.valid import valid

LABELS = ("a", "b", "c", "d", "it's", "100% :x", "two words", "é🐘", 'say "hi"', "back\\slash")
OPTIONS = (
    ("fillfactor", "70"),
    ("autovacuum_enabled", "false"),
    ("toast.autovacuum_enabled", "off"),
)
BOUNDS = {
    "RANGE": ("FROM (0) TO (10)", "FROM (10) TO (20)", "FROM (20) TO (MAXVALUE)"),
    "LIST": ("IN ('a', 'it''s')", "IN ('b')", "DEFAULT"),
    "HASH": tuple(f"WITH (modulus 3, remainder {n})" for n in range(3)),
}


def draw_schema(drawing: Drawing, tables: int | None = None) -> SchemaSpec:
    """Draw a schema of a few tables."""
    spec = SchemaSpec()
    for _ in range(drawing.pick((0, 1, 1, 2))):
        spec = replace(spec, enums=(*spec.enums, draw_enum(drawing, spec)))
    for _ in range(drawing.pick((0, 0, 1, 2))):
        spec = replace(spec, sequences=(*spec.sequences, draw_sequence(drawing, spec)))
    for _ in range(tables if tables is not None else drawing.rng.randint(1, 4)):
        spec = with_new_table(drawing, spec)
    return valid(spec, drawing.major)


def with_new_table(drawing: Drawing, spec: SchemaSpec, sort: str | None = None) -> SchemaSpec:
    """Add a table, its keys and indexes included."""
    sort = sort or drawing.pick(drawing.sorts)
    table = draw_table(drawing, spec, sort)
    spec = valid(replace(spec, tables=(*spec.tables, table)), drawing.major)
    for draw in (_keys, _foreign_keys, _checks, _exclusions, _indexes, _switches):
        found = spec.table(table.place)
        if found is None:
            return spec
        spec = valid(spec.with_table(draw(drawing, spec, found)), drawing.major)
    return spec


def draw_table(drawing: Drawing, spec: SchemaSpec, sort: str) -> TableSpec:
    """Draw a table with columns alone."""
    name = draw_name(drawing.rng, spec, "t", drawing.taken)
    table = TableSpec(drawing.pick(SCHEMAS), name, (), comment=drawing.comment())
    partition, parent = None, None
    columns: tuple[ColumnSpec, ...] = ()
    if sort == "partitioned":
        strategy = drawing.pick(tuple(BOUNDS))
        type_ = "text" if strategy == "LIST" else "integer"
        key = ColumnSpec(draw_name(drawing.rng, spec, "c", (name, *drawing.taken)), type_)
        columns = (key,)
        partition = PartitionSpec(strategy, (key.name,))
    elif sort == "child":
        # SQLAlchemy sends the names of parents in other schemas as they stand.
        parents = [one for one in spec.tables if not one.partition and "%" not in one.schema]
        parent = drawing.pick(parents).place if parents else None
    elif drawing.chance(0.75):
        columns = (
            ColumnSpec(draw_name(drawing.rng, spec, "c", (name, *drawing.taken)), "integer"),
        )
    table = replace(table, columns=columns, inherits=parent)
    probe = replace(spec, tables=(*spec.tables, table))
    for _ in range(drawing.rng.randint(1, 6)):
        column = drawing.column(probe, table)
        table = replace(table, columns=(*table.columns, column))
        probe = replace(spec, tables=(*spec.tables, table))
    if partition is not None:
        children: list[tuple[str, str]] = []
        for bound in BOUNDS[partition.strategy][: drawing.rng.randint(0, 2)]:
            also = tuple(one for one, _ in children)
            children.append((draw_name(drawing.rng, probe, "p", also), bound))
        table = replace(table, partition=replace(partition, children=tuple(children)))
    return table


def draw_enum(drawing: Drawing, spec: SchemaSpec) -> EnumSpec:
    """Draw an enumerated type."""
    name = draw_name(drawing.rng, spec, "e")
    return EnumSpec(drawing.pick(SCHEMAS), name, drawing.some(LABELS, 5))


def draw_sequence(drawing: Drawing, spec: SchemaSpec) -> SequenceSpec:
    """Draw a sequence."""
    name = draw_name(drawing.rng, spec, "s")
    sequence = SequenceSpec(drawing.pick(SCHEMAS), name, comment=drawing.comment())
    return replace(
        sequence,
        type=drawing.pick(("bigint", "bigint", "integer", "smallint")),
        start=drawing.pick((None, None, 10)),
        increment=drawing.pick((None, 2, -3)),
        minimum=drawing.pick((None, None, -500)),
        maximum=drawing.pick((None, None, 20000)),
        cache=drawing.pick((None, 20)),
        cycle=drawing.chance(0.2),
    )


def _keys(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    if drawing.chance(0.8):
        table = replace(table, primary_key=drawing.key(spec, table, "pk"))
        key = table.primary_key
        if key is not None and drawing.chance(0.4):
            columns = tuple(
                replace(one, serial=True) if one.name == key.columns[0] else one
                for one in table.columns
            )
            table = replace(table, columns=columns)
    if drawing.chance(0.5):
        unique = drawing.key(spec.with_table(table), table, "uq")
        table = replace(table, uniques=(unique,) if unique else ())
    return table


def _foreign_keys(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    for _ in range(drawing.pick((0, 1, 2))):
        key = drawing.foreign_key(spec.with_table(table), table)
        if key is not None:
            table = replace(table, foreign_keys=(*table.foreign_keys, key))
    return table


def _checks(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    for _ in range(drawing.pick((0, 0, 1, 2))):
        check = drawing.check(spec.with_table(table), table)
        if check is not None and fits(check.expression, spec, table):
            table = replace(table, checks=(*table.checks, check))
    return table


def _exclusions(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    if drawing.chance(0.2):
        one = drawing.exclusion(spec, table)
        table = replace(table, exclusions=(one,) if one else ())
    return table


def _indexes(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    for _ in range(drawing.pick((0, 1, 1, 2, 3))):
        index = drawing.index(spec.with_table(table), table)
        if index is not None:
            table = replace(table, indexes=(*table.indexes, index))
    return table


def _switches(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    return replace(
        table,
        options=(drawing.pick(OPTIONS),) if drawing.chance(0.2) else (),
        unlogged=drawing.chance(0.1),
        row_security=drawing.pick(("", "", "", "", "", "ENABLE", "FORCE", "ENABLE FORCE")),
        replica_identity=draw_replica_identity(drawing, table)
        if drawing.chance(0.15)
        else "DEFAULT",
    )


def draw_replica_identity(drawing: Drawing, table: TableSpec) -> str:
    """Draw a replica identity: often an index, where a table has one that could be it."""
    unique = [f"i:{one.name}" for one in table.indexes if one.unique]
    return drawing.pick(("NOTHING", "FULL", *unique))
