"""Giving another name to something in a description, and to whatever refers to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.fuzz.column_type import enum_place, quoted
from tests.fuzz.spec import (
    ColumnSpec,
    EnumSpec,
    Expression,
    IndexSpec,
    KeySpec,
    Place,
    SchemaSpec,
    TableSpec,
    changed,
)

CONSTRAINTS = ("uniques", "foreign_keys", "checks", "exclusions")
"""The attributes of a table that hold its constraints but for the primary key."""


def rename_table(spec: SchemaSpec, place: Place, new: str) -> SchemaSpec:
    """Give another name to a table."""
    target = (place[0], new)
    tables = []
    for table in spec.tables:
        keys = tuple(
            replace(key, table=target) if key.table == place else key for key in table.foreign_keys
        )
        parent = target if table.inherits == place else table.inherits
        name = new if table.place == place else table.name
        tables.append(replace(table, name=name, foreign_keys=keys, inherits=parent))
    sequences = tuple(
        replace(one, owner=(*target, one.owner[2])) if one.owner[:2] == place else one
        for one in spec.sequences
    )
    return replace(spec, tables=tuple(tables), sequences=sequences)


def rename_column(spec: SchemaSpec, place: Place, old: str, new: str) -> SchemaSpec:
    """Give another name to a column."""
    names = {old: new}
    tables = []
    for table in spec.tables:
        if table.place == place:
            table = _with_names(table, names)
        keys = tuple(
            replace(key, referred=_all(key.referred, names)) if key.table == place else key
            for key in table.foreign_keys
        )
        tables.append(replace(table, foreign_keys=keys))
    sequences = tuple(
        replace(one, owner=(*place, new)) if one.owner == (*place, old) else one
        for one in spec.sequences
    )
    return replace(spec, tables=tuple(tables), sequences=sequences)


def rename_part(table: TableSpec, attribute: str, old: str, new: str) -> TableSpec:
    """Give another name to a constraint or an index of a table."""
    if attribute == "primary_key":
        assert table.primary_key is not None
        return replace(table, primary_key=replace(table.primary_key, name=new))
    parts = tuple(
        changed(one, {"name": new}) if one.name == old else one for one in getattr(table, attribute)
    )
    table = changed(table, {attribute: parts})
    if attribute == "indexes" and table.replica_identity == f"i:{old}":
        table = replace(table, replica_identity=f"i:{new}")
    return table


def rename_label(spec: SchemaSpec, place: Place, old: str, new: str) -> SchemaSpec:
    """Give another name to a label, in the defaults and expressions that name it, too."""
    enums = tuple(
        replace(one, labels=_all(one.labels, {old: new})) if one.place == place else one
        for one in spec.enums
    )
    tables = tuple(_relabelled(table, place, old, new) for table in spec.tables)
    return replace(spec, enums=enums, tables=tables)


def with_enum(spec: SchemaSpec, enum: EnumSpec) -> SchemaSpec:
    """Put another description in the place of the enum of the same name."""
    enums = tuple(enum if one.place == enum.place else one for one in spec.enums)
    return replace(spec, enums=enums)


def _all(names: tuple[str, ...], new: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(new.get(name, name) for name in names)


def _expression(one: Expression | None, names: Mapping[str, str]) -> Expression | None:
    return None if one is None else replace(one, columns=_all(one.columns, names))


def _key(one: KeySpec, names: Mapping[str, str]) -> KeySpec:
    return replace(one, columns=_all(one.columns, names), include=_all(one.include, names))


def _index(one: IndexSpec, names: Mapping[str, str]) -> IndexSpec:
    elements = tuple(
        changed(element, {"expression": _expression(element.expression, names)})
        for element in one.elements
    )
    return replace(
        one,
        elements=elements,
        include=_all(one.include, names),
        where=_expression(one.where, names),
    )


def _with_names(table: TableSpec, names: Mapping[str, str]) -> TableSpec:
    key, partition = table.primary_key, table.partition
    if partition is not None:
        partition = replace(partition, columns=_all(partition.columns, names))
    return replace(
        table,
        columns=tuple(
            replace(
                one,
                name=names.get(one.name, one.name),
                generated=_expression(one.generated, names),
            )
            for one in table.columns
        ),
        primary_key=None if key is None else _key(key, names),
        uniques=tuple(_key(one, names) for one in table.uniques),
        foreign_keys=tuple(
            replace(one, columns=_all(one.columns, names)) for one in table.foreign_keys
        ),
        checks=tuple(
            changed(one, {"expression": _expression(one.expression, names)}) for one in table.checks
        ),
        exclusions=tuple(
            replace(
                one,
                elements=tuple((names.get(name, name), with_) for name, with_ in one.elements),
                where=_expression(one.where, names),
            )
            for one in table.exclusions
        ),
        indexes=tuple(_index(one, names) for one in table.indexes),
        partition=partition,
    )


def _relabelled(table: TableSpec, place: Place, old: str, new: str) -> TableSpec:
    of_it = {one.name for one in table.columns if enum_place(one.type) == place}

    def expression(one: Expression | None) -> Expression | None:
        if one is None or one.label != old or one.columns[0] not in of_it:
            return one
        return replace(one, label=new)

    def column(one: ColumnSpec) -> ColumnSpec:
        if one.name in of_it and one.default == quoted(old):
            one = replace(one, default=quoted(new))
        return replace(one, generated=expression(one.generated))

    return replace(
        table,
        columns=tuple(map(column, table.columns)),
        checks=tuple(
            changed(one, {"expression": expression(one.expression)}) for one in table.checks
        ),
        exclusions=tuple(replace(one, where=expression(one.where)) for one in table.exclusions),
        indexes=tuple(
            replace(
                one,
                elements=tuple(
                    changed(element, {"expression": expression(element.expression)})
                    for element in one.elements
                ),
                where=expression(one.where),
            )
            for one in table.indexes
        ),
    )
