"""Edits of indexes."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw import Drawing
from tests.fuzz.edits.registry import Edit, added, altered, dropped
from tests.fuzz.index_method import METHODS
from tests.fuzz.name import TEXTS
from tests.fuzz.spec import IndexSpec, SchemaSpec, TableSpec


def _elements(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    return replace(index, elements=drawing.elements(table, index.method))


def _order(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    if not METHODS[index.method].is_ordered:
        return None
    return replace(index, elements=tuple(drawing.ordered(one) for one in index.elements))


def _method(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    method = drawing.other(list(METHODS), index.method)
    elements = drawing.elements(table, method)
    return replace(index, method=method, elements=elements, options=()) if elements else None


def _predicate(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    if index.where is not None and drawing.chance(0.4):
        return replace(index, where=None)
    return replace(index, where=drawing.condition(spec, table))


def _include(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    if not METHODS[index.method].has_include:
        return None
    if index.include and drawing.chance(0.4):
        return replace(index, include=())
    return replace(index, include=drawing.some([one.name for one in table.columns], 2))


def _options(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    if index.options and drawing.chance(0.4):
        return replace(index, options=())
    return replace(index, options=(drawing.pick(METHODS[index.method].options),))


def _unique(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    if index.unique and drawing.chance(0.5):
        return replace(index, nulls_not_distinct=not index.nulls_not_distinct)
    return replace(index, unique=not index.unique)


def _comment(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, index: IndexSpec
) -> IndexSpec | None:
    return replace(index, comment=drawing.other(("", *TEXTS), index.comment))


EDITS: dict[str, Edit] = {
    "index: add": added("indexes", lambda d, spec, table: d.index(spec, table)),
    "index: drop": dropped("indexes"),
    "index: columns": altered("indexes", _elements),
    "index: order": altered("indexes", _order),
    "index: method": altered("indexes", _method),
    "index: predicate": altered("indexes", _predicate),
    "index: include": altered("indexes", _include),
    "index: parameters": altered("indexes", _options),
    "index: unique": altered("indexes", _unique),
    "index: comment": altered("indexes", _comment),
}
