"""What the server makes of a domain's text: made as a throwaway, and printed again."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.objects.domain.catalog import DomainRecord, find
from pgmigrations.migrate.objects.domain.definition import NOT_VALID, of_record

COPY = "pgmigrations_copy"
_TEMPORARY = text("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")


def shown(schema: str | None, name: str) -> str:
    """Name a domain in messages."""
    return f"domain {schema}.{name}" if schema else f"domain {name}"


def reprinted(connection: Connection, record: DomainRecord) -> DomainRecord:
    """Make a domain once more from what the server prints, and read it.

    Args:
        connection: A transaction; nothing is left in it.
        record: The domain.

    Returns:
        The record as it prints then; unchanged where it cannot be made there.
    """
    with pinned(connection):
        made = printed(connection, of_record(record))
    if made is None:
        return record
    return dataclasses.replace(
        record, default=made.default, constraints=_with_validity(made, record)
    )


def is_same(connection: Connection, found: str, wanted: str) -> bool | None:
    """Let the server decide whether two texts of a domain mean the same.

    Args:
        connection: A transaction; nothing is left in it.
        found: What follows AS for the domain that is there, as the server prints it.
        wanted: What a revision says.

    Returns:
        None where the wanted one cannot be made, so that nothing can be told.
    """
    if found == wanted:
        return True
    there, asked = (_settled(connection, one) for one in (found, wanted))
    return None if asked is None else asked == (there or found)


def printed(connection: Connection, definition: str) -> DomainRecord | None:
    """Make a domain that vanishes again.

    Returns:
        It; None where it cannot be made.
    """
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(
            f"CREATE DOMAIN pg_temp.{COPY} AS {definition}",
            execution_options={"no_parameters": True},
        )
        found = find(connection, connection.execute(_TEMPORARY).scalar_one(), COPY)
    except DBAPIError:
        return None
    finally:
        savepoint.rollback()
    return found if isinstance(found, DomainRecord) else None


def _settled(connection: Connection, definition: str) -> str | None:
    """Print a text twice: what is printed at first prints another way when it is read again."""
    for _ in range(2):
        made = printed(connection, definition)
        if made is None:
            return None
        definition = of_record(made)
    return definition


def _with_validity(made: DomainRecord, record: DomainRecord) -> tuple[tuple[str, str], ...]:
    waiting = {name for name, definition in record.constraints if definition.endswith(NOT_VALID)}
    return tuple(
        (name, definition + NOT_VALID if name in waiting else definition)
        for name, definition in made.constraints
    )
