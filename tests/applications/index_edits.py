"""Edits of indexes of every sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, Index, MetaData, func
from sqlalchemy.sql.elements import ClauseElement

from tests.applications.edit import NAME, Edit, NotThere, tables, text_column


def _index_of(sort: str) -> Callable[[MetaData, bool], None]:
    """Make the maker of an index; its second argument asks for another definition."""

    def make(metadata: MetaData, altered: bool) -> None:
        column = text_column(metadata)
        other = next(iter(column.table.primary_key.columns), column)
        name = f"{NAME}_{sort}"
        if sort == "plain":
            Index(name, column, *([other] if altered else []))
        elif sort == "unique":
            Index(name, column, other, unique=True, postgresql_nulls_not_distinct=altered or None)
        elif sort == "partial":
            where = column.is_(None) if altered else column.is_not(None)
            Index(name, column, postgresql_where=where)
        elif sort == "expression":
            Index(name, (func.upper if altered else func.lower)(column))
        elif sort == "INCLUDE":
            Index(name, other, postgresql_include=[column.name, *([other.name] if altered else [])])
        elif sort == "opclass":
            ops = {column.name: "text_ops" if altered else "text_pattern_ops"}
            Index(name, column, postgresql_ops=ops)

    return make


def _finder_of(sort: str) -> Callable[[MetaData], Index]:
    def fits(index: Index) -> bool:
        options = index.dialect_options["postgresql"]
        columns = {column.key for column in index.columns}
        is_plain = all(isinstance(one, Column) for one in index.expressions)
        found = {
            "partial": options["where"] is not None,
            "INCLUDE": bool(options["include"]),
            "opclass": not columns.isdisjoint(options["ops"]),
            "unique": bool(index.unique),
            "expression": not is_plain,
        }
        if sort == "plain":
            return not any(found.values()) and options["using"] in (None, False, "btree")
        return found[sort]

    def find(metadata: MetaData) -> Index:
        for table in tables(metadata):
            keyed = [
                {element.column.name for element in key.elements}
                for other in metadata.tables.values()
                for key in other.foreign_key_constraints
                if key.elements[0].column.table is table
            ]
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                columns = {column.name for column in index.columns}
                if fits(index) and not (index.unique and columns in keyed):
                    return index
        raise NotThere

    return find


def index_edits() -> Iterator[Edit]:
    for sort in ("plain", "unique", "partial", "expression", "INCLUDE", "opclass"):
        make, find = _index_of(sort), _finder_of(sort)

        def give(metadata: MetaData, make: Any = make) -> None:
            make(metadata, False)

        def drop(metadata: MetaData, find: Any = find) -> None:
            index = find(metadata)
            index.table.indexes.discard(index)

        def alter(metadata: MetaData, find: Any = find, make: Any = make, sort: str = sort) -> None:
            index: Any = find(metadata)
            if index.name == f"{NAME}_{sort}":
                index.table.indexes.discard(index)
                make(metadata, True)
            else:
                _alter_own(index, sort)

        article = "an" if sort[0] in "eoI" else "a"
        yield Edit(f"add {article} {sort} index", give)
        yield Edit(f"drop {article} {sort} index", drop, give, find)
        yield Edit(f"alter {article} {sort} index", alter, give, find)


def _is_said(option: Any) -> bool:
    # A clause has no truth of its own.
    return isinstance(option, ClauseElement) or bool(option)


def _alter_own(index: Index, sort: str) -> None:
    """Change an index of the models' own in the property that its sort is named for."""
    options = index.dialect_options["postgresql"]
    table = index.table
    assert table is not None
    other = next(
        column for column in table.columns if column.name not in {c.name for c in index.columns}
    )
    expressions: list[Any] = list(index.expressions)
    keywords: dict[str, Any] = {
        f"postgresql_{key}": options[key]
        for key in ("where", "using", "ops", "include", "with", "nulls_not_distinct")
        if _is_said(options[key])
    }
    unique = index.unique
    if sort == "plain":
        expressions.append(other)
    elif sort == "unique":
        unique = False
    elif sort == "partial":
        keywords["postgresql_where"] = other.is_not(None)
    elif sort == "expression":
        expressions = [*expressions, other]
    elif sort == "INCLUDE":
        keywords["postgresql_include"] = [other.name]
    elif sort == "opclass":
        del keywords["postgresql_ops"]
        keywords.pop("postgresql_using", None)
    name = index.name
    table.indexes.discard(index)
    Index(name, *expressions, unique=unique, **keywords)
