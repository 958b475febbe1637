"""Privileges on what a role will make, as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class DefaultPrivilegeRecord(Record):
    """What one role may do with what another one will make.

    Attributes:
        on: The sort of object, as ALTER DEFAULT PRIVILEGES says it: `tables`.
        place: The schema where it will be made; empty for every schema.
        for_role: Who will make it.
        grantee: The role.
        privileges: Their names, sorted.
        grantable: Those that it may grant in its turn, sorted.
    """

    kind: ClassVar[str] = "default_privilege"
    on: str
    place: str
    for_role: str
    grantee: str
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]


# What a role has on what it makes itself is its owner's right, and what every role has on functions
# and types stands in the list where something else was granted.
_FOUND = """
FROM (
  SELECT coalesce(n.nspname, '') AS place,
         CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                              WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' END AS sort,
         o.rolname AS for_role, coalesce(g.rolname, 'public') AS grantee,
         p.privilege_type::text AS privilege, p.is_grantable
  FROM pg_default_acl d
  JOIN pg_roles o ON o.oid = d.defaclrole
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
  CROSS JOIN LATERAL aclexplode(d.defaclacl) p
  LEFT JOIN pg_roles g ON g.oid = p.grantee
  WHERE p.grantee <> d.defaclrole
    AND NOT (d.defaclnamespace = 0 AND p.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
) f"""
_READ = f"""
SELECT f.place, f.sort, f.for_role, f.grantee, array_agg(f.privilege ORDER BY f.privilege),
       coalesce(array_agg(f.privilege ORDER BY f.privilege) FILTER (WHERE f.is_grantable), '{{}}'),
       f.grantee = ANY(:roles) AND f.for_role = ANY(:roles)
{_FOUND}
WHERE f.sort IS NOT NULL AND f.grantee = ANY(:grantees)
  AND (f.place = '' OR f.place = ANY(:places))
GROUP BY f.place, f.sort, f.for_role, f.grantee
ORDER BY f.place, f.sort, f.for_role, f.grantee
"""


def named(
    place: str,
    on: str,
    for_role: str,
    grantee: str,
    privileges: Sequence[str],
    grantable: Sequence[str] = (),
    *,
    is_ours: bool = True,
) -> DefaultPrivilegeRecord:
    """Make the record of what a role may do with what another will make."""
    where = f" in {place}" if place else ""
    return DefaultPrivilegeRecord(
        "",
        f"{on} of {for_role}{where} to {grantee}",
        on,
        place,
        for_role,
        grantee,
        tuple(sorted(privileges)),
        tuple(sorted(grantable)),
        is_ours=is_ours,
    )


def _record(
    place: str,
    on: str,
    for_role: str,
    grantee: str,
    privileges: Sequence[str],
    grantable: Sequence[str],
    is_ours: bool,
) -> DefaultPrivilegeRecord:
    """Where one of both is not declared, what no model grants may be anybody's."""
    return named(place, on, for_role, grantee, privileges, grantable, is_ours=is_ours)


read = Catalog(_READ, _record)
"""Reads what the named roles may do with what is made later."""


def held(
    connection: Connection, on: str, place: str | None, for_role: str, grantee: str
) -> tuple[frozenset[str], frozenset[str]]:
    """Look up what a role may do with what another will make, and what of it it may grant."""
    values = {"on": on, "place": place or "", "for_role": for_role, "grantee": grantee}
    rows = connection.execute(_HELD, values).all()
    return (
        frozenset(privilege for privilege, _ in rows),
        frozenset(privilege for privilege, is_grantable in rows if is_grantable),
    )


_HELD = text(f"""
SELECT f.privilege, f.is_grantable {_FOUND}
WHERE f.sort = :on AND f.place = :place AND f.for_role = :for_role AND f.grantee = :grantee
""")
