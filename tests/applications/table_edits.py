"""Edits of checks, foreign keys, comments and whole tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from pgmigrations.migrate.core.quoting import DIALECT, escape_parameters
from tests.applications.column_edits import add_column_with_key
from tests.applications.edit import NAME, Edit, NotThere, tables, text_column


def _check(metadata: MetaData) -> CheckConstraint:
    for table in tables(metadata):
        found = [
            one
            for one in table.constraints
            if isinstance(one, CheckConstraint) and not one._type_bound and one.name
        ]
        if found:
            return min(found, key=lambda one: str(one.name))
    raise NotThere


def add_check(metadata: MetaData) -> None:
    column = text_column(metadata)
    column.table.append_constraint(
        CheckConstraint(func.length(column) < 30000, name=f"{NAME}_check")
    )


def drop_check(metadata: MetaData) -> None:
    check: Any = _check(metadata)
    check.table.constraints.discard(check)


def reword_check(metadata: MetaData) -> None:
    check: Any = _check(metadata)
    options = {"literal_binds": True, "include_table": False}
    said = str(check.sqltext.compile(dialect=DIALECT, compile_kwargs=options))
    check.sqltext = text(escape_parameters(f"({said}) OR 2 > 1"))


def _exclusion(metadata: MetaData) -> ExcludeConstraint:
    for table in tables(metadata):
        for constraint in table.constraints:
            if isinstance(constraint, ExcludeConstraint) and constraint.name:
                return constraint
    raise NotThere


def add_exclusion(metadata: MetaData) -> None:
    column = text_column(metadata)
    column.table.append_constraint(_excluding(column))


def _excluding(column: Column[Any]) -> ExcludeConstraint:
    # GiST takes scalars with an extension's operator class only.
    return ExcludeConstraint((column, "="), name=f"{NAME}_exclusion", using="gist")


def drop_exclusion(metadata: MetaData) -> None:
    constraint = _exclusion(metadata)
    constraint.table.constraints.discard(constraint)


def alter_exclusion(metadata: MetaData) -> None:
    constraint: Any = _exclusion(metadata)
    constraint.where = text("1 = 1")


def _key(metadata: MetaData) -> ForeignKeyConstraint:
    for table in tables(metadata):
        keys = [one for one in table.foreign_key_constraints if len(one.elements) == 1]
        for key in sorted(keys, key=lambda one: str(one.column_keys)):
            return key
    raise NotThere


def change_ondelete(metadata: MetaData) -> None:
    key = _key(metadata)
    key.ondelete = "RESTRICT" if (key.ondelete or "").upper() != "RESTRICT" else "CASCADE"
    for element in key.elements:
        element.ondelete = key.ondelete


def comment_table(metadata: MetaData) -> None:
    next(tables(metadata)).comment = "It's 100% \\ :new"


def comment_column(metadata: MetaData) -> None:
    column = next(iter(next(tables(metadata)).columns))
    column.comment = "It's 100% \\ :new"


def add_table(metadata: MetaData) -> None:
    table = next(table for table in tables(metadata) if len(table.primary_key.columns) == 1)
    key = table.primary_key.columns[0]
    Table(
        NAME,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("of", key.type, ForeignKey(key, name=f"{NAME}_of_fkey"), index=True),
        Column("label", String(20), server_default="it's"),
        CheckConstraint("length(label) > 1", name=f"{NAME}_label_check"),
        UniqueConstraint("label", name=f"{NAME}_label_key"),
        schema=table.schema,
        comment="added",
    )


def drop_table(metadata: MetaData) -> None:
    referred = {key.column.table for table in tables(metadata) for key in table.foreign_keys}
    unreferred = [table for table in tables(metadata) if table not in referred]
    metadata.remove(unreferred[0])


def table_edits() -> list[Edit]:
    """Return the edits of checks, foreign keys, comments and whole tables."""
    return [
        Edit("add a CHECK", add_check),
        Edit("drop a CHECK", drop_check, add_check, _check),
        Edit("reword a CHECK", reword_check, add_check, _check),
        Edit("add an exclusion constraint", add_exclusion),
        Edit("drop an exclusion constraint", drop_exclusion, add_exclusion, _exclusion),
        Edit("alter an exclusion constraint", alter_exclusion, add_exclusion, _exclusion),
        Edit("change ON DELETE", change_ondelete, add_column_with_key, _key),
        Edit("change a table's comment", comment_table),
        Edit("change a column's comment", comment_column),
        Edit("add a table", add_table),
        Edit("drop a table", drop_table),
    ]
