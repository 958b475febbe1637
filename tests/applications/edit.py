"""What an edit is, and how it finds a place in models whoever's they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pgmigrations.migrate.core.quoting import DIALECT

Change: TypeAlias = Callable[[MetaData], None]
Find: TypeAlias = Callable[[MetaData], Any]

LABELS = ("first", "second", "third")
NAME = "pgm_edit"


class NotThere(Exception):
    """The models have nothing of the sort."""


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        name: As the table of results shows it.
        change: Makes it, in place.
        given: Gives the models what they need where they have nothing of the sort; None where
            every model has.
        finds: Whether the models have what they need by themselves.
        rows: Whether the tables hold rows while it is applied.
    """

    name: str
    change: Change
    given: Change | None = None
    finds: Find | None = None
    rows: bool = False

    def prepare(self, metadata: MetaData) -> bool:
        """Give the models what they lack for this edit, and tell whether they lacked it."""
        if self.given is None:
            return False
        if self.finds is not None:
            try:
                self.finds(metadata)
            except NotThere:
                pass
            else:
                return False
        self.given(metadata)
        return True


def tables(metadata: MetaData) -> Iterator[Table]:
    yield from sorted(metadata.tables.values(), key=lambda table: table.key)


def keyed(table: Table) -> set[str]:
    """Name the columns that a key or another table's key rests on, generated ones included."""
    found: set[str] = set()
    for constraint in table.constraints:
        if isinstance(constraint, (ForeignKeyConstraint,)):
            found |= {column.name for column in constraint.columns}
    found |= {column.name for column in table.primary_key.columns}
    for other in table.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is table:
                found.add(key.column.name)
    found |= {column.name for column in table.columns if column.computed is not None}
    return found


def used(table: Table) -> set[str]:
    """Name the columns that something else of the table is about."""
    found = keyed(table)
    said = [words(index) for index in table.indexes]
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            said.append(compiled(constraint.sqltext))
        elif isinstance(constraint, UniqueConstraint):
            found |= {column.name for column in constraint.columns}
    said += [compiled(one.computed.sqltext) for one in table.columns if one.computed is not None]
    return found | {column.name for column in table.columns if column.name in " ".join(said)}


def words(index: Index) -> str:
    """Write down everything that an index is about."""
    options = index.dialect_options["postgresql"]
    clauses = [*index.expressions, options["where"]]
    named = [str(one) for one in options["include"] or ()]
    return " ".join([*(compiled(one) for one in clauses if one is not None), *named])


def compiled(clause: Any) -> str:
    """Write a clause as PostgreSQL is given it."""
    if isinstance(clause, str):
        return clause
    return str(clause.compile(dialect=DIALECT, compile_kwargs={"include_table": False}))


def find_column(
    metadata: MetaData, fits: Callable[[Column[Any]], bool], *, free: bool = True
) -> Column[Any]:
    for table in tables(metadata):
        taken = used(table) if free else keyed(table)
        for column in table.columns:
            if column.name not in taken and fits(column):
                return column
    raise NotThere


def is_text(column: Column[Any]) -> bool:
    return type(column.type) in (String, Text) or type(column.type).__name__ == "AutoString"


def text_column(metadata: MetaData) -> Column[Any]:
    """Find a column to index or to check; a table without any is given one."""
    try:
        return find_column(metadata, is_text, free=False)
    except NotThere:
        table = next(tables(metadata))
        table.append_column(Column(f"{NAME}_text", String(40)))
        return table.c[f"{NAME}_text"]


def given_column(type_: Callable[[], Any], **keywords: Any) -> Change:
    def give(metadata: MetaData) -> None:
        column: Column[Any] = Column(f"{NAME}_column", type_(), **keywords)
        next(tables(metadata)).append_column(column)

    return give
