"""Constraints as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.snapshot import Identity, Record, Scope


@dataclass(frozen=True)
class ConstraintRecord(Record):
    """A constraint of a table, by the definition that the server prints."""

    kind: ClassVar[str] = "constraint"
    table: str
    definition: str
    comment: str

    @property
    def identity(self) -> Identity:
        """A constraint's name is unique within its table only."""
        return (self.kind, self.schema, self.table, self.name)


# NOT NULL (contype n, PostgreSQL 18) is a property of the column, read with the table.
_READ = text("""
SELECT n.nspname, k.conname, c.relname, pg_get_constraintdef(k.oid),
       coalesce(obj_description(k.oid, 'pg_constraint'), '') AS comment
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:schemas) AND k.contype IN ('c', 'f', 'p', 'u', 'x')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname, k.conname
""")


def read(connection: Connection, scope: Scope) -> Iterator[ConstraintRecord]:
    """Read every constraint of the scope's schemas in one statement, extensions' own left out."""
    rows = connection.execute(_READ, {"schemas": sorted(scope.schemas)})
    for schema, name, table, definition, comment in rows:
        if (schema, table) not in scope.ignore_relations:
            yield ConstraintRecord(schema, name, table, definition, comment)
