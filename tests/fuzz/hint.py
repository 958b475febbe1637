"""The hints of a pair: which of them hold, the same in the other direction, and none at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.fuzz.name import names_of
from tests.fuzz.rename import (
    CONSTRAINTS,
    rename_column,
    rename_label,
    rename_part,
    rename_table,
    with_enum,
)
from tests.fuzz.spec import CheckSpec, EnumSpec, SchemaSpec, TableSpec, changed

PARTS = ("columns", *CONSTRAINTS, "indexes")


def holding(before: SchemaSpec, after: SchemaSpec) -> SchemaSpec:
    """Leave out the hints of the second schema that no revision can follow.

    What has not been there before is not renamed, and a name that somebody else has, before or
    after, is not free.
    """
    had, has = set(names_of(before)), set(names_of(after))

    def is_free(was: str, name: str) -> bool:
        return was in had and was not in has and name not in had

    tables = []
    for table in after.tables:
        if table.was and not is_free(table.was, table.name):
            table = replace(table, was="")
        old = before.table((table.schema, table.was or table.name))
        tables.append(_with_holding(table, old, is_free))
    enums = tuple(_enum(one, before.enum(one.place)) for one in after.enums)
    return replace(after, tables=tuple(tables), enums=enums)


def mirrored(before: SchemaSpec, after: SchemaSpec) -> SchemaSpec:
    """Give the first schema the hints that lead back to it."""
    for table in after.tables:
        old = before.table((table.schema, table.was or table.name))
        if old is None:
            continue
        new = replace(old, was=table.name) if table.was else old
        for attribute in PARTS:
            new = _mirrored_parts(new, attribute, getattr(table, attribute))
        key, other = new.primary_key, table.primary_key
        if key is not None and other is not None and other.was:
            new = replace(new, primary_key=replace(key, was=other.name))
        before = before.with_table(new)
    for enum in after.enums:
        found = before.enum(enum.place)
        if found is not None:
            back = tuple((new, old) for old, new in enum.renamed)
            before = with_enum(before, replace(found, renamed=back))
    return before


def unhinted(spec: SchemaSpec) -> SchemaSpec:
    """Give everything the name back that it has had before, and leave out the hints."""
    for enum in spec.enums:
        for old, new in enum.renamed:
            spec = rename_label(spec, enum.place, new, old)
    spec = replace(spec, enums=tuple(replace(one, renamed=()) for one in spec.enums))
    for place in [table.place for table in spec.tables]:
        table = spec.table(place)
        assert table is not None
        for column in table.columns:
            if column.was:
                spec = rename_column(spec, place, column.name, column.was)
        table = spec.table(place)
        assert table is not None
        table = replace(table, columns=tuple(replace(one, was="") for one in table.columns))
        for attribute in (*CONSTRAINTS, "indexes"):
            for part in getattr(table, attribute):
                if part.was:
                    table = rename_part(table, attribute, part.name, part.was)
            parts = tuple(changed(one, {"was": ""}) for one in getattr(table, attribute))
            table = changed(table, {attribute: parts})
        key = table.primary_key
        if key is not None and key.was:
            table = replace(table, primary_key=replace(key, name=key.was, was=""))
        spec = spec.with_table(replace(table, was=""))
        if table.was:
            spec = rename_table(spec, place, table.was)
    return spec


def _with_holding(table: TableSpec, old: TableSpec | None, is_free: Any) -> TableSpec:
    for attribute in PARTS:
        known = {one.name: one for one in getattr(old, attribute)} if old is not None else {}
        parts = tuple(_part(one, known, is_free) for one in getattr(table, attribute))
        table = changed(table, {attribute: parts})
    key = table.primary_key
    if key is not None:
        had = old.primary_key if old is not None else None
        known = {had.name: had} if had is not None else {}
        table = replace(table, primary_key=_part(key, known, is_free))
    return table


def _part(part: Any, known: Mapping[str, Any], is_free: Any) -> Any:
    """Check the hint of a part of a table, which has been of the same sort in the same table."""
    if not part.was:
        return part
    old = known.get(part.was)
    is_held = old is not None and is_free(part.was, part.name) and _has_model(part)
    return part if is_held and _has_model(old) else replace(part, was="")


def _has_model(part: Any) -> bool:
    """Tell whether there is a model of it, which a hint could stand at."""
    return not (isinstance(part, CheckSpec) and (part.not_valid or part.no_inherit))


def _mirrored_parts(table: TableSpec, attribute: str, others: tuple[Any, ...]) -> TableSpec:
    names = {one.was: one.name for one in others if one.was}
    parts = tuple(
        changed(one, {"was": names[one.name]}) if one.name in names else one
        for one in getattr(table, attribute)
    )
    return changed(table, {attribute: parts})


def _enum(enum: EnumSpec, old: EnumSpec | None) -> EnumSpec:
    had = old.labels if old is not None else ()
    kept = tuple(
        (was, name)
        for was, name in enum.renamed
        if was in had and was not in enum.labels and name in enum.labels and name not in had
    )
    return replace(enum, renamed=kept)
