"""Edits that give another name to something, with the hint that says so."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw import Drawing
from tests.fuzz.draw_schema import LABELS
from tests.fuzz.edits.registry import Edit
from tests.fuzz.name import draw_name
from tests.fuzz.rename import (
    CONSTRAINTS,
    rename_column,
    rename_label,
    rename_part,
    rename_table,
    with_enum,
)
from tests.fuzz.spec import SchemaSpec, TableSpec, changed, with_column


def _table(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    if not spec.tables:
        return None
    table = drawing.pick(spec.tables)
    new = draw_name(drawing.rng, spec, "renamed", drawing.taken)
    spec = spec.with_table(replace(table, was=table.was or table.name))
    return rename_table(spec, table.place, new)


def _column(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    found = [
        (table, column)
        for table in spec.tables
        for column in table.columns
        if not _names_partitions(column.name, table)
    ]
    if not found:
        return None
    table, column = drawing.pick(found)
    new = draw_name(drawing.rng, spec, "renamed", drawing.taken)
    was = column.was or column.name
    spec = spec.with_table(with_column(table, replace(column, was=was)))
    return rename_column(spec, table.place, column.name, new)


def _names_partitions(name: str, table: TableSpec) -> bool:
    """Tell whether the indexes of the partitions are called after a column; they keep that name."""
    if table.partition is None:
        return False
    keys = (table.primary_key,) if table.primary_key is not None else ()
    used = [(*one.columns, *one.include) for one in (*keys, *table.uniques)]
    for index in table.indexes:
        used += [index.include, *(one.expression.columns for one in index.elements)]
    return any(name in one for one in used)


def _constraint(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    found = [
        (table, attribute, part)
        for table in spec.tables
        for attribute in CONSTRAINTS
        for part in getattr(table, attribute)
    ]
    found += [
        (table, "primary_key", table.primary_key)
        for table in spec.tables
        if table.primary_key is not None
    ]
    if not found:
        return None
    table, attribute, part = drawing.pick(found)
    new = draw_name(drawing.rng, spec, "renamed", drawing.taken)
    return spec.with_table(_renamed_part(table, attribute, part.name, part.was, new))


def _index(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    found = [(table, index) for table in spec.tables for index in table.indexes]
    if not found:
        return None
    table, index = drawing.pick(found)
    new = draw_name(drawing.rng, spec, "renamed", drawing.taken)
    return spec.with_table(_renamed_part(table, "indexes", index.name, index.was, new))


def _renamed_part(table: TableSpec, attribute: str, old: str, was: str, new: str) -> TableSpec:
    table = rename_part(table, attribute, old, new)
    if attribute == "primary_key":
        assert table.primary_key is not None
        return replace(table, primary_key=replace(table.primary_key, was=was or old))
    parts = tuple(
        changed(one, {"was": was or old}) if one.name == new else one
        for one in getattr(table, attribute)
    )
    return changed(table, {attribute: parts})


def _label(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    if not spec.enums:
        return None
    enum = drawing.pick(spec.enums)
    free = [label for label in LABELS if label not in enum.labels]
    if not free:
        return None
    old, new = drawing.pick(enum.labels), drawing.pick(free)
    was = next((before for before, now in enum.renamed if now == old), old)
    renamed = (*(one for one in enum.renamed if one[1] != old), (was, new))
    spec = rename_label(spec, enum.place, old, new)
    found = spec.enum(enum.place)
    assert found is not None
    return with_enum(spec, replace(found, renamed=renamed))


EDITS: dict[str, Edit] = {
    "table: rename": _table,
    "column: rename": _column,
    "constraint: rename": _constraint,
    "index: rename": _index,
    "enum: label renamed": _label,
}
