"""A row in every table where both schemas can hold it, to see that it comes through unharmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.quoting import identifier, qualified
from tests.fuzz.column_type import TYPES, enum_place, quoted, type_changes
from tests.fuzz.draw_pair import Pair
from tests.fuzz.hint import unhinted
from tests.fuzz.spec import ColumnSpec, Place, SchemaSpec, TableSpec

LabelNames: TypeAlias = Mapping[Place, Mapping[str, str]]
"""What the labels of the enums are called now, by what they were called before."""


@dataclass(frozen=True)
class Row:
    """A row of a table, and the columns that say the same in both schemas.

    The columns that are kept are called as in the first.
    """

    place: Place
    after_place: Place
    before: dict[str, str]
    after: dict[str, str]
    kept: tuple[str, ...]


def insert(url: str, after_url: str, pair: Pair) -> list[Row]:
    """Insert a row into each table that takes it; return those that have been taken.

    Args:
        url: A database with the first schema.
        after_url: One with the second, which must take the row, too; nothing of it stays.
        pair: The schemas.
    """
    taken = []
    with (
        create_engine(url, poolclass=NullPool).begin() as connection,
        create_engine(after_url, poolclass=NullPool).connect() as other,
    ):
        for one in (connection, other):
            # Else a row would be found out at the end, when it is too late to leave it out.
            one.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        for row in _rows(pair):
            if _is_taken(other, row.after_place, row.after) and _is_taken(
                connection, row.place, row.before
            ):
                taken.append(row)
        other.rollback()
    return taken


def read(url: str, rows: list[Row]) -> dict[Place, list[tuple[str, ...]]]:
    """Read what the rows say in the columns that are the same in both schemas."""
    found = {}
    with create_engine(url, poolclass=NullPool).connect() as connection:
        for row in rows:
            columns = ", ".join(f"{identifier(name)}::text" for name in row.kept) or "1"
            place = qualified(row.place[0] or None, row.place[1])
            result = connection.exec_driver_sql(
                f"SELECT {columns} FROM {place}", execution_options={"no_parameters": True}
            )
            found[row.place] = [tuple(one) for one in result]
    return found


def _rows(pair: Pair) -> Iterator[Row]:
    named = {(one.schema, one.was or one.name): one for one in pair.after.tables}
    labels = {one.place: dict(one.renamed) for one in pair.after.enums}
    # Under the names of the first schema the second can be compared with it.
    pair = replace(pair, after=unhinted(pair.after))
    for before in pair.before.tables:
        after = pair.after.table(before.place)
        if after is None or before.partition is not None or not _is_kept(before, after):
            continue
        old, new = _values(before, after, pair, {}), _values(after, before, pair, labels)
        if old is not None and new is not None:
            now = named[before.place]
            names = {one.was: one.name for one in now.columns if one.was}
            new = {names.get(name, name): value for name, value in new.items()}
            yield Row(before.place, now.place, old, new, _same(before, after))


def _is_kept(before: TableSpec, after: TableSpec) -> bool:
    """Tell whether a row can go from the one table to the other and back."""
    for one, other in ((before, after), (after, before)):
        for column in one.columns:
            there = other.column(column.name)
            if there is None and not column.nullable and not _is_filled(column, one, other):
                return False
            if there is None and column.default and column.name in _minded(one):
                # It comes back with its default, which need not be taken.
                return False
            if there is None and _refuses_null(one, column.name):
                return False
            is_worked_out = there is not None and there.generated and not column.generated
            is_needed = there is not None and there.nullable and not column.nullable
            if is_worked_out and (is_needed or column.name in _minded(one)):
                # It comes back with the value that was worked out there, or with none.
                return False
            if there is None or there.type == column.type:
                continue
            if not (
                there.type in type_changes(column.type, ())
                or column.type in type_changes(there.type, ())
            ):
                # Each step of the way can be made, not all of them at once.
                return False
            if column.name in _minded(one):
                # It comes back converted twice, such as '1' as '1.00'.
                return False
            # No text of ours is a label.
            if enum_place(there.type) is not None and enum_place(column.type) != enum_place(
                there.type
            ):
                return False
    return True


def _minded(table: TableSpec) -> set[str]:
    """Name the columns of which not every value is taken."""
    names = {name for key in table.foreign_keys for name in key.columns}
    return names | {name for check in table.checks for name in check.expression.columns}


def _refuses_null(table: TableSpec, column: str) -> bool:
    """Tell whether a check needs a value there, and the column comes back without one."""
    return any(
        column in check.expression.columns and "IS NOT NULL" in check.expression.template
        for check in table.checks
    )


def _is_filled(column: ColumnSpec, table: TableSpec, other: TableSpec) -> bool:
    """Tell whether a column that comes has a value in each row that is there."""
    if column.generated:
        # What it is made of may come without one.
        parts = [table.column(name) for name in column.generated.columns]
        return all(
            part is not None
            and (other.column(part.name) is not None or _is_filled(part, table, other))
            for part in parts
        )
    return bool(column.default or column.identity or column.serial)


def _same(before: TableSpec, after: TableSpec) -> tuple[str, ...]:
    kept = []
    for column in before.columns:
        other = after.column(column.name)
        if (
            other is not None
            and other.type == column.type
            and not (column.generated or other.generated)
        ):
            kept.append(column.name)
    return tuple(kept)


def _values(
    table: TableSpec, other: TableSpec, pair: Pair, labels: LabelNames
) -> dict[str, str] | None:
    """Choose a value for each column that takes one; None where there is none to choose."""
    referring = {name for one in (table, other) for key in one.foreign_keys for name in key.columns}
    values = {}
    for column in table.columns:
        there = other.column(column.name) or column
        if column.generated or column.identity or column.serial:
            continue
        if column.name in referring:
            if not (column.nullable and there.nullable):
                return None
            values[column.name] = "NULL"
            continue
        value = _value(column, pair, labels)
        if value is None:
            return None
        values[column.name] = value
    return values


def _value(column: ColumnSpec, pair: Pair, names: LabelNames) -> str | None:
    place = enum_place(column.type)
    if place is None:
        return TYPES[column.type].values[0]
    labels = [_labels(spec, place) for spec in (pair.before, pair.after)]
    both = [label for label in labels[0] or labels[1] if all(not x or label in x for x in labels)]
    if not both:
        return None
    label = names.get(place, {}).get(both[0], both[0])
    return _array(place, label) if column.type.endswith("[]") else quoted(label)


def _array(place: Place, label: str) -> str:
    return f"ARRAY[{quoted(label)}]::{qualified(place[0] or None, place[1])}[]"


def _labels(spec: SchemaSpec, place: Place) -> tuple[str, ...]:
    enum = spec.enum(place)
    return enum.labels if enum is not None else ()


def _is_taken(connection: Connection, place: Place, values: dict[str, str]) -> bool:
    columns = ", ".join(map(identifier, values))
    target = qualified(place[0] or None, place[1])
    statement = f"INSERT INTO {target} ({columns}) VALUES ({', '.join(values.values())})"
    if not values:
        statement = f"INSERT INTO {target} DEFAULT VALUES"
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    except DBAPIError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True
