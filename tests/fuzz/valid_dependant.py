"""Leaving out the constraints and indexes that the server would refuse."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.column_type import families
from tests.fuzz.expression import COLUMN, fits
from tests.fuzz.index_method import METHODS, is_plain, is_text, takes
from tests.fuzz.spec import (
    CheckSpec,
    ElementSpec,
    ExclusionSpec,
    Expression,
    ForeignKeySpec,
    IndexSpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
)


def valid_dependants(table: TableSpec, spec: SchemaSpec, major: int) -> TableSpec:
    """Leave out what cannot be in a table, whatever other tables are like."""
    if table.partition is not None:
        table = replace(table, unlogged=False, options=(), exclusions=())
    key = table.primary_key
    if key is not None:
        key = _key(key, table, is_primary=True, major=major)
    table = replace(table, primary_key=key)
    found = {key.columns} if key is not None else set()
    uniques = []
    for one in table.uniques:
        unique = _key(one, table, is_primary=False, major=major)
        if unique is not None and unique.columns not in found:
            found.add(unique.columns)
            uniques.append(unique)
    indexes = [index for one in table.indexes if (index := _index(one, table, spec, major))]
    if table.partition is not None:
        # Those of a partition are named by their columns and, where that is taken, numbered as they
        # come; create_all() makes indexes in the order of a set.
        # When a type changes, the server gives those it makes anew the comment of the whole one.
        indexes = [replace(one, comment="") for one in {_named_by(i): i for i in indexes}.values()]
    table = replace(
        table,
        uniques=tuple(uniques),
        checks=tuple(
            one for one in (_check(c, table) for c in table.checks) if _fits(one, spec, table)
        ),
        exclusions=_exclusions(table, spec),
        indexes=tuple(indexes),
    )
    return replace(table, replica_identity=_replica_identity(table))


def _named_by(index: IndexSpec) -> tuple[str, ...]:
    plain = (one.expression for one in index.elements)
    names = (one.columns[0] if one.template == COLUMN else "expr" for one in plain)
    return (*names, *index.include)


def valid_foreign_keys(table: TableSpec, spec: SchemaSpec) -> TableSpec:
    """Leave out the foreign keys that rest on nothing."""
    kept = tuple(one for one in table.foreign_keys if _is_referable(one, table, spec))
    if table.partition is not None:
        kept = tuple(replace(one, not_valid=False) for one in kept)
    return replace(table, foreign_keys=kept)


def _is_stored(name: str, table: TableSpec, family: str = "any") -> bool:
    column = table.column(name)
    return column is not None and column.stored and family in families(column.type)


def _key(key: KeySpec, table: TableSpec, *, is_primary: bool, major: int) -> KeySpec | None:
    if not key.columns or not all(_is_stored(name, table, "ordered") for name in key.columns):
        return None
    if table.partition is not None and not set(table.partition.columns) <= set(key.columns):
        return None
    include = tuple(
        name for name in key.include if _is_stored(name, table) and name not in key.columns
    )
    distinct = key.nulls_not_distinct and not is_primary and major >= 15
    return replace(key, include=include, nulls_not_distinct=distinct)


def _check(check: CheckSpec, table: TableSpec) -> CheckSpec:
    """Leave out what is the partitions' own: each has validated the check, or it has not."""
    if table.partition is None:
        return check
    return replace(check, no_inherit=False, not_valid=False)


def _fits(check: CheckSpec, spec: SchemaSpec, table: TableSpec) -> bool:
    return fits(check.expression, spec, table)


def _exclusions(table: TableSpec, spec: SchemaSpec) -> tuple[ExclusionSpec, ...]:
    found: dict[ExclusionSpec, ExclusionSpec] = {}
    for one in table.exclusions:
        exclusion = _exclusion(one, table, spec)
        if exclusion is not None:
            # CREATE TABLE makes one constraint of those that are equal but for their names.
            found.setdefault(replace(exclusion, name="", comment="", was=""), exclusion)
    return (*found.values(),)


def _exclusion(one: ExclusionSpec, table: TableSpec, spec: SchemaSpec) -> ExclusionSpec | None:
    needed = {"&&": "range", "=": "ordered"}
    if not all(_is_stored(name, table, needed[operator]) for name, operator in one.elements):
        return None
    if one.where is not None and not _is_indexable(one.where, table, spec):
        one = replace(one, where=None)
    return one


def _is_indexable(expression: Expression, table: TableSpec, spec: SchemaSpec) -> bool:
    return fits(expression, spec, table) and all(
        _is_stored(name, table) for name in expression.columns
    )


def _index(index: IndexSpec, table: TableSpec, spec: SchemaSpec, major: int) -> IndexSpec | None:
    method = METHODS[index.method]
    elements = [
        _element(element, index, table)
        for element in index.elements
        if _is_indexable(element.expression, table, spec) and takes(element, index.method, table)
    ][: method.columns]
    if not elements:
        return None
    unique = index.unique and index.method == "btree" and table.partition is None
    keys = {name for element in elements for name in element.expression.columns}
    return replace(
        index,
        elements=tuple(elements),
        unique=unique,
        include=tuple(
            name
            for name in index.include
            if method.has_include and _is_stored(name, table) and name not in keys
        ),
        where=index.where if index.where and _is_indexable(index.where, table, spec) else None,
        options=tuple(one for one in index.options if one in method.options),
        nulls_not_distinct=index.nulls_not_distinct and unique and major >= 15,
    )


def _element(element: ElementSpec, index: IndexSpec, table: TableSpec) -> ElementSpec:
    if not METHODS[index.method].is_ordered:
        element = replace(element, descending=False, nulls="")
    if not is_text(element, table) or index.method not in ("btree", "brin"):
        element = replace(element, collation="")
    return element


def _replica_identity(table: TableSpec) -> str:
    sort, _, name = table.replica_identity.partition(":")
    if sort != "i":
        return table.replica_identity
    for index in table.indexes:
        if index.name == name and index.unique and index.where is None and is_plain(index):
            columns = [table.column(e.expression.columns[0]) for e in index.elements]
            if all(column is not None and not column.nullable for column in columns):
                return table.replica_identity
    return "DEFAULT"


def _is_referable(key: ForeignKeySpec, table: TableSpec, spec: SchemaSpec) -> bool:
    other = spec.table(key.table)
    if other is None or (other.unlogged and not table.unlogged):
        return False
    keys = [other.primary_key, *other.uniques]
    if not any(one and one.columns == key.referred and not one.deferrable for one in keys):
        return False
    for name, referred in zip(key.columns, key.referred, strict=True):
        column, target = table.column(name), other.column(referred)
        if column is None or target is None or column.generated is not None:
            return False
        if (column.type, column.collation) != (target.type, target.collation):
            return False
    return True
