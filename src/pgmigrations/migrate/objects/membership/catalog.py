"""Memberships of roles in roles, as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class MembershipRecord(Record):
    """A role's membership in another, by which it may act as the other.

    Attributes:
        group: The role that the member may act as.
        member: The member.
        inherits: Whether the member has the group's privileges without acting as it.
        is_admin: Whether it may pass the membership on, for the way back only.
    """

    kind: ClassVar[str] = "membership"
    group: str
    member: str
    inherits: bool
    is_admin: bool = field(default=False, compare=False, repr=False)


# From PostgreSQL 16 on there is a row for each grantor, with options of its own; before, a member
# may always act as the group, and its own attribute says whether it inherits. Whoever makes a role
# is given one of ADMIN alone.
_OPTIONS = """
  CROSS JOIN LATERAL (
    SELECT coalesce((to_jsonb(a) ->> 'set_option')::boolean, true) AS may_set,
           coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit) AS inherits) o"""
_READ = f"""
SELECT g.rolname, m.rolname, bool_or(o.inherits), bool_or(a.admin_option)
FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member{_OPTIONS}
WHERE m.rolname = ANY(:roles) AND o.may_set
GROUP BY g.rolname, m.rolname
ORDER BY g.rolname, m.rolname
"""


def named(group: str, member: str, inherits: bool, is_admin: bool = False) -> MembershipRecord:
    """Make the record of a membership."""
    return MembershipRecord("", f"{member} in {group}", group, member, inherits, is_admin)


read = Catalog(_READ, named)
"""Reads the memberships that the declared roles have."""


@dataclass(frozen=True)
class FoundMembership:
    """A membership that is there.

    Attributes:
        inherits: Whether the member has the group's privileges without acting as it.
        grantors: Who has granted it, from PostgreSQL 16 on each for himself; else nobody.
    """

    inherits: bool
    grantors: tuple[str, ...]


def find(connection: Connection, group: str, member: str) -> FoundMembership | None:
    """Look a membership up; None where the member may not act as the group."""
    row = connection.execute(_FIND, {"group": group, "member": member}).one()
    if row.inherits is None:
        return None
    return FoundMembership(row.inherits, tuple(row.grantors) if row.has_options else ())


_FIND = text(f"""
SELECT bool_or(o.inherits) FILTER (WHERE o.may_set) AS inherits,
       coalesce(array_agg(w.rolname ORDER BY w.rolname) FILTER (WHERE o.may_set), '{{}}')
         AS grantors,
       current_setting('server_version_num')::int >= 160000 AS has_options
FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member
JOIN pg_roles w ON w.oid = a.grantor{_OPTIONS}
WHERE g.rolname = :group AND m.rolname = :member
""")


def has_options(connection: Connection) -> bool:
    """Tell whether a membership has options of its own, as from PostgreSQL 16 on."""
    version = text("SELECT current_setting('server_version_num')::int >= 160000")
    return bool(connection.execute(version).scalar_one())
