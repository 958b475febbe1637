"""Memberships of roles in roles, as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class MembershipRecord(Record):
    """A role's membership in another; that it is there is all that is looked at.

    Attributes:
        group: The role that the member has the privileges of.
        member: The member.
    """

    kind: ClassVar[str] = "membership"
    group: str
    member: str


# From PostgreSQL 16 on there is a row for each grantor, and only that one's can be revoked by it.
_READ = """
SELECT g.rolname, m.rolname, bool_and(pg_has_role(a.grantor, 'USAGE')) AS is_ours
FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname = ANY(:roles)
GROUP BY g.rolname, m.rolname
ORDER BY g.rolname, m.rolname
"""


def named(group: str, member: str, *, is_ours: bool = True) -> MembershipRecord:
    """Make the record of a membership."""
    return MembershipRecord("", f"{member} in {group}", group, member, is_ours=is_ours)


def _record(group: str, member: str, is_ours: bool) -> MembershipRecord:
    return named(group, member, is_ours=is_ours)


read = Catalog(_READ, _record)
"""Reads the memberships that the declared roles have."""


def is_member(connection: Connection, group: str, member: str) -> bool:
    """Tell whether a role is a member of another, by a grant of its own."""
    return bool(connection.execute(_FIND, {"group": group, "member": member}).scalar_one())


_FIND = text("""
SELECT EXISTS (SELECT FROM pg_auth_members a
               JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
               WHERE g.rolname = :group AND m.rolname = :member)
""")
