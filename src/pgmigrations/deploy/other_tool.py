"""Is a database still managed by another tool?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgmigrations.migrate.core.quoting import qualified
from pgmigrations.run.adoption import is_node_table
from pgmigrations.run.adoption_of_alembic import alembic_rows
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions


def is_of_another_tool(connection: extensions.connection, schema: str, table: str) -> bool:
    """Tell whether node-pg-migrate or plain Alembic has a database, and nobody has adopted it.

    Args:
        connection: On the database.
        schema: The version table's; empty for the connection's default schema.
        table: The version table.
    """
    ((found,),) = rows(connection, "SELECT coalesce(current_schema()::text, 'public')")
    schema = schema or found
    if is_node_table(connection, schema, table):
        return True
    name = qualified(schema, table)
    if rows(connection, "SELECT to_regclass(%s) IS NOT NULL", (name,))[0][0]:
        # Another application's Alembic may keep its own table beside ours.
        ((is_ours,),) = rows(connection, f"SELECT EXISTS (SELECT FROM {name})")
        if is_ours:
            return False
    others = alembic_rows(connection, schema)
    return others is not None and bool(others.rows)
