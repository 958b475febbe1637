"""What the operations on constraints have in common when they look before they act."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.quoting import identifier, qualified

COPY = "pgmigrations_copy"
"""Name of the empty copy that a foreign key is tried on; no transaction leaves it behind."""

_FIND = text("""
SELECT pg_get_constraintdef(k.oid) AS definition,
       coalesce(obj_description(k.oid, 'pg_constraint'), '') AS comment,
       k.conislocal AS is_local
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND k.conname = :name
""")

_TEMPORARY = text("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")


@dataclass(frozen=True)
class Found:
    """A constraint that is there.

    Attributes:
        definition: As the server prints it, every name in it qualified.
        comment: Empty where there is none.
        is_local: Whether it is the table's own, and not only what it inherits.
    """

    definition: str
    comment: str
    is_local: bool


def shown(schema: str | None, table: str, name: str) -> str:
    """Name a constraint in messages."""
    return f"constraint {name} of {schema}.{table}" if schema else f"constraint {name} of {table}"


def is_foreign_key(definition: str) -> bool:
    """Tell a foreign key from the other sorts."""
    return definition.upper().startswith("FOREIGN KEY")


def has_index(definition: str) -> bool:
    """Tell a constraint that an index of its name enforces."""
    return definition.upper().startswith(("PRIMARY KEY", "UNIQUE", "EXCLUDE"))


def find(connection: Connection, schema: str | None, table: str, name: str) -> Found | None:
    """Look one constraint of a table up."""
    place = _schema(connection, schema)
    with pinned(connection):
        return _find(connection, place, table, name)


def is_same(
    connection: Connection, schema: str | None, table: str, found: str, wanted: str
) -> bool | None:
    """Let the server decide whether two definitions mean the same, since versions print apart.

    Both are made on an empty copy of the table, and printed.

    Returns:
        None where the wanted one cannot be made, so that nothing can be told: it may speak of
        columns or of labels of an enum that are gone.
    """
    if found == wanted:
        return True
    printed = printed_again(connection, schema, table, wanted)
    if printed is None:
        return None
    return printed == (printed_again(connection, schema, table, found) or found)


def printed_again(
    connection: Connection, schema: str | None, table: str, definition: str
) -> str | None:
    """Make a constraint on an empty copy of its table, and return what the server prints.

    It is made twice, since what is printed at first prints another way when it is read again, and
    no more after that. The copy has the table's name, since a definition may say it. A temporary
    table cannot refer to others, so a foreign key is tried on an unlogged one.

    Returns:
        None where it cannot be made.
    """
    place = _schema(connection, schema)
    copy_schema, copy_name, persistence = (
        (place, COPY, "UNLOGGED") if is_foreign_key(definition) else ("pg_temp", table, "TEMP")
    )
    copy = qualified(copy_schema, copy_name)
    savepoint = connection.begin_nested()
    try:
        _send(connection, f"CREATE {persistence} TABLE {copy} (LIKE {qualified(place, table)})")
        if copy_schema == "pg_temp":
            copy_schema = connection.execute(_TEMPORARY).scalar_one()
        for number in (1, 2):
            made = identifier(f"{COPY}_{number}")
            _send(connection, f"ALTER TABLE {copy} ADD CONSTRAINT {made} {definition}")
            with pinned(connection):
                found = _find(connection, copy_schema, copy_name, f"{COPY}_{number}")
            if found is None:
                return None
            definition = found.definition
            _send(connection, f"ALTER TABLE {copy} DROP CONSTRAINT {made}")
        return definition
    except DBAPIError:
        return None
    finally:
        savepoint.rollback()


def _send(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _find(connection: Connection, schema: str, table: str, name: str) -> Found | None:
    row = connection.execute(_FIND, {"schema": schema, "table": table, "name": name}).one_or_none()
    return None if row is None else Found(row.definition, row.comment, row.is_local)


def _schema(connection: Connection, schema: str | None) -> str:
    if schema is not None:
        return schema
    found = connection.execute(text("SELECT current_schema()")).scalar_one()
    return str(found)
