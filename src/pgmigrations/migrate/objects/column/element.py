"""A column as CREATE TABLE and ADD COLUMN carry it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DefaultClause,
    Identity,
    Integer,
    SmallInteger,
    text,
)
from sqlalchemy.types import TypeEngine

from pgmigrations.migrate.core.alembic_private import copy_of
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import escape_parameters, identifier
from pgmigrations.migrate.core.reflection import ServerType
from pgmigrations.migrate.objects.column.catalog import ColumnRecord
from pgmigrations.migrate.objects.column.definition import column_definition, split_generated
from pgmigrations.migrate.objects.column.printed_type import printed_type

_SERIAL = {"smallint": SmallInteger, "integer": Integer, "bigint": BigInteger}
_SERIAL_NAMES = {"smallint": "SMALLSERIAL", "integer": "SERIAL", "bigint": "BIGSERIAL"}


def parts(record: ColumnRecord, difference: Difference) -> list[Column[Any]]:
    """Return the column that makes a declared one within its table; none for an inherited one."""
    if record.is_inherited and not record.is_local:
        return []
    return [element(record, difference)]


def element(record: ColumnRecord, difference: Difference, *, alone: bool = False) -> Column[Any]:
    """Make the column that a declared one is made by: the model's, else what the server prints.

    Args:
        record: The declared column.
        difference: What else is declared, and the models.
        alone: Whether it is added to a table that is there, where only its type can say SERIAL.
    """
    table = difference.table(record.schema, record.table)
    place = (record.schema, record.table, record.name)
    is_serial = record.type in _SERIAL and difference.is_serial(place)
    model = None
    if table is not None:
        model = next((one for one in table.columns if one.name == record.name), None)
    column = _printed(record, is_serial) if model is None else copy_of(model)
    # The key is said by itself; one that the table's statement cannot say comes after it.
    column.primary_key = False
    if model is not None and not record.default:
        # Whatever else the model has there, such as FetchedValue, the server has no default.
        if isinstance(column.server_default, DefaultClause):
            column.server_default = None
    elif model is not None and column.server_default is None and not is_serial:
        column.server_default = _default(record)
    counts = _is_only_key(record, difference) and column.identity is None
    if is_serial and (alone or not counts):
        column.type = ServerType(_SERIAL_NAMES[record.type])
        column.server_default = None
        # SQLAlchemy would refuse to count in a type that it does not know.
        column.autoincrement = False
    elif counts and isinstance(column.type, tuple(_SERIAL.values())):
        # Else SQLAlchemy makes SERIAL of it.
        column.autoincrement = is_serial
    column.nullable = not record.not_null
    return column


def _is_only_key(record: ColumnRecord, difference: Difference) -> bool:
    """Tell whether the column by itself, without options, is the primary key of its table."""
    plain = {f"PRIMARY KEY ({name})" for name in (record.name, identifier(record.name))}
    return any(
        getattr(one, "definition", "") in plain for one in difference.declared_in(record.relation)
    )


def _printed(record: ColumnRecord, is_serial: bool) -> Column[Any]:
    type_: TypeEngine[Any] = printed_type(record.type)
    arguments: list[Any] = []
    sort, expression = split_generated(record.generated)
    if record.collation or sort == "VIRTUAL":
        generated = record.generated if sort == "VIRTUAL" else ""
        type_ = ServerType(column_definition(record.type, record.collation, generated))
    if sort == "STORED":
        arguments.append(Computed(text(escape_parameters(expression)), persisted=True))
    if record.identity_options:
        arguments.append(_identity(record.identity_options))
    return Column(
        record.name,
        type_,
        *arguments,
        server_default=None if is_serial else _default(record),
        comment=record.comment or None,
    )


def _default(record: ColumnRecord) -> DefaultClause | None:
    return DefaultClause(text(escape_parameters(record.default))) if record.default else None


def _identity(options: str) -> Identity:
    sort = "ALWAYS" if options.startswith("ALWAYS") else "BY DEFAULT"
    words = options.removeprefix(sort).split()
    values = dict(zip(words[:10:2], map(int, words[1:10:2]), strict=True))
    return Identity(
        always=sort == "ALWAYS",
        start=values["START"],
        increment=values["INCREMENT"],
        minvalue=values["MINVALUE"],
        maxvalue=values["MAXVALUE"],
        cache=values["CACHE"],
        cycle=words[10:] == ["CYCLE"],
    )
