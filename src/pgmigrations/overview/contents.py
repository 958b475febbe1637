"""What the database holds, read from the catalogs for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from pgmigrations.migrate.core.quoting import qualified

EXACT_BELOW = 8 * 1024 * 1024
"""Bytes of a table up to which its rows are counted; above it the planner's estimate is shown."""


@dataclass(frozen=True)
class TableContents:
    """A table as `overview` lists it; `rows` is None where even the estimate is not known."""

    name: str
    columns: int
    indexes: int
    foreign_keys: int
    rows: int | None
    is_estimate: bool


@dataclass(frozen=True)
class Contents:
    """The database as `overview` lists it."""

    server: str
    database: str
    tables: list[TableContents]
    enums: list[tuple[str, list[str]]]
    extensions: list[tuple[str, str]]


_TABLES = text("""
SELECT n.nspname, c.relname, n.nspname = current_schema() AS is_default,
       (SELECT count(*) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
       (SELECT count(*) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype = 'f') AS foreign_keys,
       pg_total_relation_size(c.oid) AS bytes, c.reltuples,
       has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY NOT n.nspname = current_schema(), n.nspname, c.relname
""")

_ENUMS = text("""
SELECT CASE WHEN n.nspname = current_schema() THEN t.typname
            ELSE n.nspname || '.' || t.typname END AS name,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 1
""")

_EXTENSIONS = text("SELECT extname, extversion FROM pg_extension WHERE oid >= 16384 ORDER BY 1")


def read_contents(connection: Connection) -> Contents:
    """Read what the database holds; counts the rows of small tables only."""
    server, database = connection.execute(
        text("SELECT current_setting('server_version'), current_database()")
    ).one()
    return Contents(
        server=server.partition(" ")[0],
        database=database,
        tables=[_table(connection, row) for row in connection.execute(_TABLES).all()],
        enums=[(name, list(labels)) for name, labels in connection.execute(_ENUMS)],
        extensions=[(name, version) for name, version in connection.execute(_EXTENSIONS)],
    )


def _table(connection: Connection, row: Row[Any]) -> TableContents:
    rows: int | None = int(row.reltuples) if row.reltuples >= 0 else None
    is_counted = row.readable and row.bytes < EXACT_BELOW
    if is_counted:
        rows = connection.exec_driver_sql(
            f"SELECT count(*) FROM {qualified(row.nspname, row.relname)}",
            execution_options={"no_parameters": True},
        ).scalar_one()
    return TableContents(
        name=row.relname if row.is_default else f"{row.nspname}.{row.relname}",
        columns=row.columns,
        indexes=row.indexes,
        foreign_keys=row.foreign_keys,
        rows=rows,
        is_estimate=not is_counted,
    )
