"""Enumerated types as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import (
    TYPE_NOT_OF_AN_EXTENSION,
    USERS_OF_TYPE,
    Catalog,
    users,
)
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class EnumRecord(Record):
    """An enumerated type with its labels in order."""

    kind: ClassVar[str] = "enum"
    labels: tuple[str, ...]

    @property
    def takes_type_name(self) -> bool:
        """Whether it is a type, as it is."""
        return True


_READ = f"""
SELECT n.nspname, t.typname,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
       used.places, used.elsewhere
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
{USERS_OF_TYPE}
WHERE t.typtype = 'e' AND n.nspname = ANY(:schemas)
  AND {TYPE_NOT_OF_AN_EXTENSION}
ORDER BY n.nspname, t.typname
"""

_FIND = text("""
SELECT t.typtype,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = coalesce(:schema, current_schema()) AND t.typname = :name
""")

_TYPE_WORDS = {"b": "base type", "c": "composite type or table", "d": "domain", "r": "range type"}


def _record(
    schema: str, name: str, labels: tuple[str, ...], places: Any, elsewhere: bool
) -> EnumRecord:
    """One that a composite type, a function, a view or a foreign table needs is not ours.

    Nothing here could drop those first.
    """
    return EnumRecord(schema, name, labels, used_by=users(places), is_ours=not elsewhere)


read = Catalog(_READ, _record)
"""Reads every enum of the scope's schemas, extensions' own left out."""


def find(connection: Connection, schema: str | None, name: str) -> tuple[str, ...] | str | None:
    """Look one type up.

    Returns:
        Its labels; or what it is, in words, if it is no enum; or None if there is none.
    """
    row = connection.execute(_FIND, {"schema": schema, "name": name}).one_or_none()
    if row is None:
        return None
    return tuple(row.labels) if row.typtype == "e" else _TYPE_WORDS.get(row.typtype, "type")
