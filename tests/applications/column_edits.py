"""Edits of columns, and of the labels of enums in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DefaultClause,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    text,
)

from pgmigrations.declare import RenamedLabel, declare
from tests.applications.edit import (
    LABELS,
    NAME,
    Change,
    Edit,
    NotThere,
    compiled,
    find_column,
    given_column,
    is_text,
    keyed,
    tables,
    words,
)


def _is_string(column: Column[Any]) -> bool:
    return type(column.type) is String and column.type.length is not None


def add_column(metadata: MetaData) -> None:
    next(tables(metadata)).append_column(Column(NAME, String(40)))


def add_required_column(metadata: MetaData) -> None:
    column = Column(NAME, Boolean, nullable=False, server_default=text("true"))
    next(tables(metadata)).append_column(column)


def add_column_with_key(metadata: MetaData) -> None:
    target = next(table for table in tables(metadata) if len(table.primary_key.columns) == 1)
    key = target.primary_key.columns[0]
    next(tables(metadata)).append_column(
        Column(
            NAME, key.type, ForeignKey(key, ondelete="SET NULL", name=f"{NAME}_fkey"), index=True
        )
    )


def _free_column(metadata: MetaData) -> Column[Any]:
    return find_column(metadata, lambda column: bool(column.nullable))


def drop_column(metadata: MetaData) -> None:
    _remove_column(_free_column(metadata))


def _indexed_column(metadata: MetaData) -> Column[Any]:
    for table in tables(metadata):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            columns = list(index.columns)
            if len(columns) != 1 or columns[0].name in keyed(table):
                continue
            name = columns[0].name
            others = [words(one) for one in table.indexes if one is not index]
            others += [_words(constraint) for constraint in table.constraints]
            if words(index) == name and not any(name in one for one in others):
                return columns[0]
    raise NotThere


def _words(constraint: Any) -> str:
    if isinstance(constraint, CheckConstraint):
        return compiled(constraint.sqltext)
    return " ".join(column.name for column in constraint.columns)


def drop_indexed_column(metadata: MetaData) -> None:
    column = _indexed_column(metadata)
    table = column.table
    for index in list(table.indexes):
        if column.name in [one.name for one in index.columns]:
            table.indexes.discard(index)
    _remove_column(column)


def _remove_column(column: Column[Any]) -> None:
    table = column.table
    table._columns.remove(column)


def _string(metadata: MetaData) -> Column[Any]:
    return find_column(metadata, _is_string)


def lengthen(metadata: MetaData) -> None:
    column: Any = _string(metadata)
    column.type = String(column.type.length + 11)


def shorten(metadata: MetaData) -> None:
    column: Any = _string(metadata)
    column.type = String(max(column.type.length - 1, 1))


def _integer(metadata: MetaData) -> Column[Any]:
    return find_column(metadata, lambda column: type(column.type) is Integer)


def widen_integer(metadata: MetaData) -> None:
    _integer(metadata).type = BigInteger()


def _plain_integer(metadata: MetaData) -> Column[Any]:
    return find_column(
        metadata, lambda one: type(one.type) is Integer and one.server_default is None
    )


def integer_to_text(metadata: MetaData) -> None:
    _plain_integer(metadata).type = Text()


def text_to_integer(metadata: MetaData) -> None:
    column = find_column(metadata, lambda one: is_text(one) and one.server_default is None)
    column.type = Integer()


def require(metadata: MetaData) -> None:
    _free_column(metadata).nullable = False


def _required(metadata: MetaData) -> Column[Any]:
    return find_column(metadata, lambda column: not column.nullable)


def allow_null(metadata: MetaData) -> None:
    _required(metadata).nullable = True


def _without_default(metadata: MetaData) -> Column[Any]:
    return find_column(metadata, lambda one: is_text(one) and one.server_default is None)


def set_default(metadata: MetaData) -> None:
    _set_default(_without_default(metadata), "x'%")


def _set_default(column: Column[Any], value: str) -> None:
    clause = DefaultClause(value)
    column.server_default = clause
    clause._set_parent(column)


def _with_default(metadata: MetaData) -> Column[Any]:
    return find_column(
        metadata,
        lambda one: is_text(one) and one.server_default is not None and one.identity is None,
    )


def change_default(metadata: MetaData) -> None:
    _set_default(_with_default(metadata), "another")


def drop_default(metadata: MetaData) -> None:
    _with_default(metadata).server_default = None


def _enum(metadata: MetaData) -> Enum:
    for table in tables(metadata):
        for column in table.columns:
            type_ = column.type
            if isinstance(type_, Enum) and type_.native_enum and len(type_.enums) > 2:
                return type_
    raise NotThere


def _relabel(change: Callable[[list[str]], list[str]]) -> Change:
    def relabel(metadata: MetaData) -> None:
        found = _enum(metadata)
        name, schema, labels = found.name, found.schema, change(list(found.enums))
        for table in tables(metadata):
            for column in table.columns:
                type_: Any = column.type
                # In place: another Enum would leave this one behind in the metadata.
                if isinstance(type_, Enum) and (type_.name, type_.schema) == (name, schema):
                    type_.enum_class, type_.enums = None, list(labels)

    return relabel


def rename_label_by_hint(metadata: MetaData) -> None:
    """Rename the label that the rows hold, unless a default has it."""
    found = _enum(metadata)
    assert found.name is not None
    defaults = " ".join(
        compiled(column.server_default.arg)
        for table in tables(metadata)
        for column in table.columns
        if isinstance(column.server_default, DefaultClause)
    )
    old = next(label for label in found.enums if label not in defaults)
    new = f"{old}_renamed"
    _relabel(lambda labels: [new if label == old else label for label in labels])(metadata)
    declare(metadata, RenamedLabel(found.name, old, new, found.schema))


def _given_enum(metadata: MetaData) -> None:
    given_column(lambda: Enum(*LABELS, name=f"{NAME}_type"))(metadata)


def column_edits() -> list[Edit]:
    """Return the edits of columns."""
    some_text = given_column(lambda: String(40))
    with_default = given_column(lambda: String(40), server_default="x")
    return [
        Edit("add a column", add_column, rows=True),
        Edit("add a required column", add_required_column, rows=True),
        Edit("add a column with a key", add_column_with_key, rows=True),
        Edit("drop a column", drop_column, some_text, _free_column, rows=True),
        Edit(
            "drop an indexed column",
            drop_indexed_column,
            given_column(lambda: String(40), index=True),
            _indexed_column,
        ),
        Edit("lengthen a column", lengthen, some_text, _string, rows=True),
        Edit("shorten a column", shorten, some_text, _string),
        Edit("widen an integer", widen_integer, given_column(Integer), _integer, rows=True),
        Edit("integer to text", integer_to_text, given_column(Integer), _plain_integer, rows=True),
        Edit("text to integer", text_to_integer, some_text, _without_default),
        Edit("require a value", require, some_text, _free_column),
        Edit(
            "allow NULL",
            allow_null,
            given_column(lambda: String(40), nullable=False, server_default="x"),
            _required,
            rows=True,
        ),
        Edit("set a default", set_default, some_text, _without_default, rows=True),
        Edit("change a default", change_default, with_default, _with_default, rows=True),
        Edit("drop a default", drop_default, with_default, _with_default, rows=True),
    ]


def label_edits() -> list[Edit]:
    """Return the edits of an enum's labels."""
    changes: dict[str, Callable[[list[str]], list[str]]] = {
        "add a label at the end": lambda labels: [*labels, "it's new"],
        "add a label in the middle": lambda labels: [labels[0], "new", *labels[1:]],
        "drop a label": lambda labels: labels[:-1],
        "rename a label": lambda labels: [*labels[:-1], f"{labels[-1]}_renamed"],
    }
    edits = [
        Edit(name, _relabel(change), _given_enum, _enum, rows=True)
        for name, change in changes.items()
    ]
    hinted = Edit("rename a label by a hint", rename_label_by_hint, _given_enum, _enum, rows=True)
    return [*edits, hinted]
