"""The operations on memberships."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, unless
from pgmigrations.migrate.core.shared_object import USED_ELSEWHERE
from pgmigrations.migrate.objects.membership.catalog import is_member


@dataclass(eq=False)
class GrantRole(Operation):
    """`GRANT role TO role`, unless it is a member."""

    operation_name: ClassVar[str] = "grant_role"
    phase: ClassVar[Phase] = Phase.CREATE_ROLE
    on_server: ClassVar[bool] = True
    group: str
    to: str

    @classmethod
    def grant_role(cls, operations: Operations, group: str, to: str) -> None:
        """Make a role a member of another, unless it is.

        Emits `GRANT … TO …`, which locks no table; needs CREATEROLE, and ADMIN on the group from
        PostgreSQL 16 on. Its reverse is `op.revoke_role`. PostgreSQL 14 or newer (PostgreSQL
        manual, 22.3 Role Membership).

        Example:
            op.grant_role("readwrite", "app_rw")

        Args:
            group: The role whose privileges the member has, unquoted.
            to: The member, unquoted.
        """
        operations.invoke(cls(group, to))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"membership {self.to} in {self.group}"

    def pending(self, connection: Connection) -> bool:
        """Look for the membership."""
        return not is_member(connection, self.group, self.to)

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"GRANT {identifier(self.group)} TO {identifier(self.to)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that looks first."""
        return [do_block(unless(_condition(self.group, self.to), f"{self.statements()[0]};"))]

    def reverse(self) -> RevokeRole:
        """Revoke it again, unless another database has come to need it."""
        return RevokeRole(self.group, self.to, unless_used=True)


@dataclass(eq=False)
class RevokeRole(Operation):
    """`REVOKE role FROM role`, if it is a member."""

    operation_name: ClassVar[str] = "revoke_role"
    phase: ClassVar[Phase] = Phase.REVOKE
    on_server: ClassVar[bool] = True
    group: str
    member: str
    unless_used: bool = field(default=False, kw_only=True)

    @classmethod
    def revoke_role(
        cls, operations: Operations, group: str, member: str, *, unless_used: bool = False
    ) -> None:
        """End a role's membership in another, if it is a member.

        Emits `REVOKE … FROM …`, which locks no table; sessions of the member that act as the group
        go on as it. Its reverse is `op.grant_role`.

        Example:
            op.revoke_role("readwrite", "app_rw")

        Args:
            group: The role whose privileges the member has, unquoted.
            member: The member, unquoted.
            unless_used: Whether it is left, and that is said, where the group owns something or has
                privileges in another database of the server.
        """
        operations.invoke(cls(group, member, unless_used=unless_used))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"membership {self.member} in {self.group}"

    def pending(self, connection: Connection) -> bool:
        """Look for the membership, and whether another database needs it."""
        if not is_member(connection, self.group, self.member):
            return False
        used = connection.execute(_USED, {"group": self.group}).scalars().all()
        if self.unless_used and used:
            names = ", ".join(sorted(set(used)))
            log.info("Left alone: %s: %s is used in database %s", self.subject, self.group, names)
            return False
        return True

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"REVOKE {identifier(self.group)} FROM {identifier(self.member)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that looks first."""
        condition = f"NOT {_condition(self.group, self.member)}"
        if self.unless_used:
            condition += f" OR EXISTS ({USED_ELSEWHERE.format(role=literal(self.group))})"
        return [do_block(unless(f"({condition})", f"{self.statements()[0]};"))]

    def reverse(self) -> GrantRole:
        """Grant it again."""
        return GrantRole(self.group, self.member)


_USED = text(USED_ELSEWHERE.format(role=":group"))


def _condition(group: str, member: str) -> str:
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_auth_members a
    JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
    JOIN pg_catalog.pg_roles m ON m.oid = a.member
    WHERE g.rolname = {literal(group)} AND m.rolname = {literal(member)})"""
