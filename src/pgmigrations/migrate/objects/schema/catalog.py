"""Schemas as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class SchemaRecord(Record):
    """A schema. It belongs to the database; what it holds are objects of their own."""

    kind: ClassVar[str] = "schema"


read = Catalog(
    "SELECT '', nspname FROM pg_namespace WHERE nspname = ANY(:schemas) ORDER BY nspname",
    SchemaRecord,
    lambda found, scope: found.name != scope.default_schema,
)
"""Reads the scope's schemas; the default one is nobody's to make."""

# What lies in a schema depends on it, and so does an extension that was installed into it.
HOLDS_SOMETHING = """EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid
      AND d.deptype = 'n')"""
"""Condition on a schema `n`."""

_FIND = text(f"""
SELECT n.nspname, pg_has_role(n.nspowner, 'USAGE') AS may_drop, {HOLDS_SOMETHING} AS is_used
FROM pg_namespace n WHERE n.nspname = :name
""")


@dataclass(frozen=True)
class FoundSchema:
    """A schema that is there, and whether this role may drop it and nothing would be lost."""

    may_drop: bool
    is_used: bool


def find(connection: Connection, name: str) -> FoundSchema | None:
    """Look one schema up."""
    row = connection.execute(_FIND, {"name": name}).one_or_none()
    return None if row is None else FoundSchema(row.may_drop, row.is_used)
