"""Indexes as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.snapshot import Record, Scope


@dataclass(frozen=True)
class IndexRecord(Record):
    """An index, by the definition that the server prints."""

    kind: ClassVar[str] = "index"
    table: str
    definition: str
    is_valid: bool
    comment: str


_READ = text("""
SELECT n.nspname, c.relname, t.relname AS table, pg_get_indexdef(c.oid) AS definition,
       i.indisvalid, coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:schemas) AND t.relkind IN ('r', 'p', 'm')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
""")


def read(connection: Connection, scope: Scope) -> Iterator[IndexRecord]:
    """Read every index of the scope's schemas in one statement, extensions' own left out."""
    rows = connection.execute(_READ, {"schemas": sorted(scope.schemas)})
    for schema, name, table, definition, is_valid, comment in rows:
        if (schema, table) not in scope.ignore_relations:
            yield IndexRecord(schema, name, table, definition, is_valid, comment)
