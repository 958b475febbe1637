"""Expressions of a column, printed once more from what the server printed first."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.quoting import identifier, qualified
from pgmigrations.migrate.objects.column.catalog import ColumnRecord
from pgmigrations.migrate.objects.column.definition import column_definition, split_generated

_COPY = "pgmigrations_copy"
_PRINTED = text("""
SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = CAST(:copy AS regclass) AND a.attname = :column
""")


def reprinted(connection: Connection, record: ColumnRecord) -> ColumnRecord:
    """Make the default or the generated column on an empty copy of the table, and read it.

    Args:
        connection: A transaction in which the table is there; nothing of it is left.
        record: The column.

    Returns:
        The record as it prints then; unchanged where it cannot be made there.
    """
    if not record.default and not record.generated:
        return record
    with pinned(connection):
        savepoint = connection.begin_nested()
        try:
            printed = _made(connection, record)
        except DBAPIError:
            # It mentions what is not there; then it is what it says.
            return record
        finally:
            savepoint.rollback()
    if record.generated:
        sort, _ = split_generated(record.generated)
        return dataclasses.replace(record, generated=f"{sort} {printed}")
    return dataclasses.replace(record, default=printed)


def _made(connection: Connection, record: ColumnRecord) -> str:
    column = identifier(record.name)
    definition = column_definition(record.type, record.collation, record.generated)
    statements = [f"CREATE TEMP TABLE {_COPY} ({column} {definition} DEFAULT {record.default})"]
    if record.generated:
        statements = [
            f"CREATE TEMP TABLE {_COPY} (LIKE {qualified(record.schema, record.table)})",
            f"ALTER TABLE pg_temp.{_COPY} DROP COLUMN IF EXISTS {column}",
            f"ALTER TABLE pg_temp.{_COPY} ADD COLUMN {column} {definition}",
        ]
    for statement in statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    names = {"copy": f"pg_temp.{_COPY}", "column": record.name}
    return str(connection.execute(_PRINTED, names).scalar_one())
