"""Edits of columns."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.column_type import (
    IDENTITY_TYPES,
    default_expressions,
    families,
    type_changes,
)
from tests.fuzz.draw import COLLATIONS, Drawing
from tests.fuzz.edits.registry import Edit, of_column, of_table
from tests.fuzz.name import TEXTS
from tests.fuzz.spec import ColumnSpec, SchemaSpec, TableSpec, with_column
from tests.fuzz.valid import TOASTED


def _add(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    return replace(table, columns=(*table.columns, drawing.column(spec, table)))


def _drop(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    fixed = table.partition.columns if table.partition is not None else ()
    free = [one for one in table.columns if one.name not in fixed]
    if len(table.columns) < 2 or not free:
        return None
    gone = drawing.pick(free)
    return replace(table, columns=tuple(one for one in table.columns if one != gone))


def _type(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    wanted = type_changes(column.type, spec.enums)
    if not wanted:
        return None
    type_ = drawing.pick(wanted)
    if column.default in default_expressions(type_, spec):
        return replace(column, type=type_)
    found = default_expressions(type_, spec)
    default = drawing.pick(found) if column.default and found and drawing.chance(0.6) else ""
    return replace(column, type=type_, default=default)


def _retyped_key(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    """Change the type of both ends of a foreign key, and of whatever else refers there."""
    found = [
        (table, key) for table in spec.tables for key in table.foreign_keys if len(key.columns) == 1
    ]
    if not found:
        return None
    table, key = drawing.pick(found)
    ends = {(table.place, key.columns[0]), (key.table, key.referred[0])}
    while True:
        more = set(ends)
        for one in spec.tables:
            for other in one.foreign_keys:
                for name, referred in zip(other.columns, other.referred, strict=True):
                    pair = {(one.place, name), (other.table, referred)}
                    more |= pair if pair & ends else set()
        if more == ends:
            break
        ends = more
    column = table.column(key.columns[0])
    assert column is not None
    wanted = [one for one in type_changes(column.type, spec.enums) if "ordered" in families(one)]
    if not wanted:
        return None
    type_ = drawing.pick(wanted)
    for place, name in ends:
        end = spec.table(place)
        assert end is not None
        old = end.column(name)
        fixed = end.partition.columns if end.partition is not None else ()
        if old is None or name in fixed:
            return None
        spec = spec.with_table(with_column(end, replace(old, type=type_)))
    return spec


def _nullable(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    return replace(column, nullable=not column.nullable)


def _default(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    if column.generated or column.identity or column.serial:
        return None
    if column.default and drawing.chance(0.4):
        return replace(column, default="")
    return replace(column, default=drawing.default(column, spec))


def _generated(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    if column.generated is not None and drawing.chance(0.3):
        return replace(column, generated=None, stored=True)
    used = {name for one in table.columns if one.generated for name in one.generated.columns}
    if column.name in used or column.identity or column.serial:
        return None
    generated = drawing.generated(table, column.type)
    if generated is None or column.name in generated.columns:
        return None
    return replace(column, generated=generated, default="", stored=drawing.chance(0.5))


def _identity(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    if column.type not in IDENTITY_TYPES or column.generated:
        return None
    if column.identity is not None and drawing.chance(0.4):
        return replace(column, identity=None)
    return replace(column, identity=drawing.identity(), serial=False, default="")


def _serial(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    key = table.primary_key
    if key is None or column.name not in key.columns or column.generated:
        return None
    if column.serial:
        identity = drawing.identity() if drawing.chance(0.6) else None
        return replace(column, serial=False, identity=identity)
    return replace(column, serial=True, identity=None, default="")


def _collation(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    return replace(column, collation=drawing.other(COLLATIONS, column.collation))


def _storage(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    if not families(column.type) & TOASTED:
        return None
    return replace(column, storage=drawing.other(("", "EXTERNAL", "MAIN"), column.storage))


def _compression(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    if not families(column.type) & TOASTED:
        return None
    return replace(column, compression="" if column.compression else drawing.compression())


def _statistics(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    return replace(column, statistics=drawing.other((None, 0, 100, 1000), column.statistics))


def _comment(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, column: ColumnSpec
) -> ColumnSpec | None:
    return replace(column, comment=drawing.other(("", *TEXTS), column.comment))


EDITS: dict[str, Edit] = {
    "column: add": of_table(_add),
    "column: drop": of_table(_drop),
    "column: type": of_column(_type),
    "column: type of both ends of a foreign key": _retyped_key,
    "column: nullability": of_column(_nullable),
    "column: default": of_column(_default),
    "column: generated": of_column(_generated),
    "column: identity": of_column(_identity),
    "column: serial": of_column(_serial),
    "column: collation": of_column(_collation),
    "column: storage": of_column(_storage),
    "column: compression": of_column(_compression),
    "column: statistics": of_column(_statistics),
    "column: comment": of_column(_comment),
}
