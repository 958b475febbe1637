"""The tables of the models, looked for by their names alone."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from pgmigrations.migrate.core.options import metadatas_of

_HAS_ANY = text("""
SELECT EXISTS (
  SELECT FROM unnest(CAST(:schemas AS text[]), CAST(:names AS text[])) AS wanted (schema, name)
  JOIN pg_catalog.pg_namespace n
    ON n.nspname = coalesce(wanted.schema, current_schema()::text, 'public')
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
)""")


def has_model_tables(context: MigrationContext) -> bool:
    """Look whether a table of the models, or anything else of its name, is there.

    Args:
        context: The connected context; leaves a transaction open.
    """
    assert context.connection is not None
    tables = [one for metadata in metadatas_of(context) for one in metadata.tables.values()]
    if not tables:
        return False
    given = {
        "schemas": [table.schema for table in tables],
        "names": [table.name for table in tables],
    }
    return bool(context.connection.execute(_HAS_ANY, given).scalar_one())
