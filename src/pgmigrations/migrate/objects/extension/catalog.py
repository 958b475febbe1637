"""Extensions as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.snapshot import Record, Scope


@dataclass(frozen=True)
class ExtensionRecord(Record):
    """An installed extension. It belongs to the database, its objects to `installed_in`."""

    kind: ClassVar[str] = "extension"
    installed_in: str
    version: str


# Below 16384 is what initdb made, such as plpgsql. An extension of somebody else's, such as the
# provider's own, could not be dropped by us, so it is not ours to propose.
_READ = text("""
SELECT e.extname, n.nspname, e.extversion,
       e.oid >= 16384 AND pg_has_role(e.extowner, 'USAGE') AS is_ours
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
ORDER BY e.extname
""")


def read(connection: Connection, scope: Scope) -> Iterator[ExtensionRecord]:
    """Read the extensions that this role could have made, in one statement."""
    for name, schema, version, is_ours in connection.execute(_READ):
        if is_ours and name not in scope.ignore_extensions:
            yield ExtensionRecord("", name, schema, version)


def find(connection: Connection, name: str) -> ExtensionRecord | None:
    """Look one extension up, whoever made it."""
    for found, schema, version, _ in connection.execute(_READ):
        if found == name:
            return ExtensionRecord("", found, schema, version)
    return None
