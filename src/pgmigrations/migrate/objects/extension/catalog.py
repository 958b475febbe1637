"""Extensions as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class ExtensionRecord(Record):
    """An installed extension. It belongs to the database, its objects to `installed_in`."""

    kind: ClassVar[str] = "extension"
    installed_in: str
    version: str


# Below 16384 is what initdb made, such as plpgsql. An extension of somebody else's, such as the
# provider's own, could not be dropped by us, so dropping it is not ours to propose.
_READ = """
SELECT e.extname, n.nspname, e.extversion,
       pg_has_role(e.extowner, 'USAGE') AS may_drop, e.oid >= 16384 AS made_later
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
ORDER BY e.extname
"""


def _record(
    name: str, schema: str, version: str, may_drop: bool, made_later: bool
) -> ExtensionRecord:
    """Ours are those that this role could have made."""
    return ExtensionRecord("", name, schema, version, is_ours=may_drop and made_later)


read = Catalog(_READ, _record, lambda found, scope: found.name not in scope.ignore_extensions)
"""Reads every extension."""


def find(connection: Connection, name: str) -> ExtensionRecord | None:
    """Look one extension up, whoever made it; ours is one that this role may drop."""
    for found, schema, version, may_drop, _ in connection.execute(text(_READ)):
        if found == name:
            return ExtensionRecord("", found, schema, version, is_ours=may_drop)
    return None
