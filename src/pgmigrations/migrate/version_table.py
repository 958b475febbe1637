"""The version table, where something else of its name is there."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.run.adoption import NODE_COLUMNS

_UNDEFINED_COLUMN = "42703"
_COLUMNS = text("""
SELECT a.attname::text FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = coalesce(:schema, current_schema()) AND c.relname = :name
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
""")


class NotTheVersionTable(PgMigrationsError):
    """Something else has the version table's name."""

    def __init__(self, name: str, columns: list[str]) -> None:
        if set(columns) == NODE_COLUMNS:
            super().__init__(
                f"{name} is node-pg-migrate's: this database is not adopted yet",
                "Run pgmigrations adopt",
            )
            self.name = name
            self.columns = columns
            return
        super().__init__(
            f"{name} is there, but is no version table: it has no column version_num, only "
            f"{', '.join(columns)}",
            "Set version_table in [pgmigrations] of alembic.ini to another name",
        )
        self.name = name
        self.columns = columns


def other_version_table(connection: Connection, error: DBAPIError) -> NotTheVersionTable | None:
    """Find out whether a failure came from reading the version rows of what is no version table.

    Args:
        connection: The connection that failed; its transaction is rolled back.
        error: How.
    """
    if getattr(error.orig, "pgcode", None) != _UNDEFINED_COLUMN:
        return None
    table = version_table_of(context.get_context())
    connection.rollback()
    names = {"schema": table.schema, "name": table.name}
    columns = list(connection.execute(_COLUMNS, names).scalars())
    if not columns or "version_num" in columns:
        return None
    return NotTheVersionTable(f"Relation {table.name}", columns)
