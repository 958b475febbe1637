"""What an edit is, and how those of one table are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from tests.fuzz.draw import Drawing
from tests.fuzz.spec import ColumnSpec, SchemaSpec, TableSpec, changed, with_column

Edit: TypeAlias = Callable[[Drawing, SchemaSpec], SchemaSpec | None]
"""Changes a schema somewhere; None where there is nothing that it could change."""

TableEdit: TypeAlias = Callable[[Drawing, SchemaSpec, TableSpec], TableSpec | None]
ColumnEdit: TypeAlias = Callable[[Drawing, SchemaSpec, TableSpec, ColumnSpec], ColumnSpec | None]

P = TypeVar("P")


def of_table(edit: TableEdit) -> Edit:
    """Let an edit of one table choose any."""

    def edited(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
        for table in drawing.rng.sample(list(spec.tables), len(spec.tables)):
            found = edit(drawing, spec, table)
            if found is not None and found != table:
                return spec.with_table(found)
        return None

    return edited


def of_column(edit: ColumnEdit) -> Edit:
    """Let an edit of one column choose any, but none that a table is partitioned by."""

    def edited(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
        fixed = table.partition.columns if table.partition is not None else ()
        free = [one for one in table.columns if one.name not in fixed]
        for column in drawing.rng.sample(free, len(free)):
            found = edit(drawing, spec, table, column)
            if found is not None and found != column:
                return with_column(table, found)
        return None

    return of_table(edited)


def added(attribute: str, draw: Callable[[Drawing, SchemaSpec, TableSpec], object | None]) -> Edit:
    """Make an edit that adds a part to a table."""

    def edit(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
        one = draw(drawing, spec, table)
        if one is None:
            return None
        return changed(table, {attribute: (*getattr(table, attribute), one)})

    return of_table(edit)


def dropped(attribute: str) -> Edit:
    """Make an edit that drops a part of a table."""

    def edit(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
        parts = getattr(table, attribute)
        if not parts:
            return None
        gone = drawing.pick(parts)
        return changed(table, {attribute: tuple(one for one in parts if one != gone)})

    return of_table(edit)


def altered(
    attribute: str, alter: Callable[[Drawing, SchemaSpec, TableSpec, Any], Any | None]
) -> Edit:
    """Make an edit that puts another description in the place of a part of a table."""

    def edit(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
        parts = getattr(table, attribute)
        for chosen in drawing.rng.sample(list(parts), len(parts)):
            found = alter(drawing, spec, table, chosen)
            if found is not None and found != chosen:
                new = tuple(found if one == chosen else one for one in parts)
                return changed(table, {attribute: new})
        return None

    return of_table(edit)
