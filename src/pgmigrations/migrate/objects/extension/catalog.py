"""Extensions as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import USER, USERS, Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class ExtensionRecord(Record):
    """An installed extension. It belongs to the database, its objects to `installed_in`.

    Attributes:
        installed_in: The schema of its objects.
        version: Its version.
        is_used: Whether something else in the database cannot do without it.
    """

    kind: ClassVar[str] = "extension"
    installed_in: str
    version: str
    is_used: bool = field(default=False, compare=False, repr=False)


# Below 16384 is what initdb made, such as plpgsql. An extension of somebody else's, such as the
# provider's own, could not be dropped by us, so dropping it is not ours to propose.
_READ = f"""
SELECT e.extname, n.nspname, e.extversion,
       pg_has_role(e.extowner, 'USAGE') AS may_drop, e.oid >= 16384 AS made_later,
       used.places, used.elsewhere
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
CROSS JOIN LATERAL (
  SELECT {USERS}
  FROM pg_depend own
  LEFT JOIN pg_type y ON own.classid = 'pg_type'::regclass AND y.typelem = own.objid
  JOIN pg_depend d ON d.deptype IN ('n', 'a')
    AND (d.refclassid, d.refobjid) IN ((own.classid, own.objid), ('pg_type'::regclass, y.oid))
  {USER}
  WHERE e.oid >= 16384
    AND own.refclassid = 'pg_extension'::regclass AND own.refobjid = e.oid AND own.deptype = 'e'
    -- Not itself of an extension, nor a part of what is, as an operator of a family.
    AND NOT EXISTS (
      SELECT FROM pg_depend o
      LEFT JOIN pg_depend x ON x.classid = o.refclassid AND x.objid = o.refobjid
        AND x.deptype = 'e' AND o.deptype IN ('i', 'a')
      WHERE o.classid = d.classid AND o.objid = d.objid
        AND (o.deptype = 'e' OR x.objid IS NOT NULL))) used
ORDER BY e.extname
"""


def _record(
    name: str,
    schema: str,
    version: str,
    may_drop: bool,
    made_later: bool,
    places: Any,
    elsewhere: bool,
) -> ExtensionRecord:
    """Ours are those that this role could have made."""
    is_used = bool(places) or elsewhere
    return ExtensionRecord("", name, schema, version, is_used, is_ours=may_drop and made_later)


read = Catalog(_READ, _record, lambda found, scope: found.name not in scope.ignore_extensions)
"""Reads every extension."""


def find(connection: Connection, name: str) -> ExtensionRecord | None:
    """Look one extension up, whoever made it; ours is one that this role may drop."""
    for found, schema, version, may_drop, *_ in connection.execute(text(_READ)):
        if found == name:
            return ExtensionRecord("", found, schema, version, is_ours=may_drop)
    return None
