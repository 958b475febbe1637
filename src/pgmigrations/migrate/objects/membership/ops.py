"""The operations on memberships."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import UNRENDERED, Operation, nothing
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, unless
from pgmigrations.migrate.core.shared_object import USED_ELSEWHERE
from pgmigrations.migrate.objects.membership.catalog import find, has_options


@dataclass(eq=False)
class GrantRole(Operation):
    """`GRANT role TO role`, unless it is a member."""

    operation_name: ClassVar[str] = "grant_role"
    phase: ClassVar[Phase] = Phase.CREATE_ROLE
    on_server: ClassVar[bool] = True
    is_looked_after: ClassVar[bool] = True
    group: str
    to: str
    inherit: bool = field(default=True, kw_only=True)
    admin: bool = field(default=False, kw_only=True)
    was_inherited: bool | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    was_there: bool = field(default=False, kw_only=True, metadata=UNRENDERED)
    _has_options: bool = field(default=False, init=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def grant_role(
        cls,
        operations: Operations,
        group: str,
        to: str,
        *,
        inherit: bool = True,
        admin: bool = False,
    ) -> None:
        """Let a role act as another, unless it may.

        Emits `GRANT … TO …`, from PostgreSQL 16 on `WITH INHERIT …, SET TRUE`, which locks no
        table; needs CREATEROLE, and ADMIN on the group from PostgreSQL 16 on. Its reverse is
        `op.revoke_role`. PostgreSQL 14 or newer (PostgreSQL manual, 22.3 Role Membership).

        Example:
            op.grant_role("readwrite", "app_rw")

        Args:
            group: The role that the member may act as, unquoted.
            to: The member, unquoted.
            inherit: Whether the member has the group's privileges without acting as it; before
                PostgreSQL 16 its own attribute says so.
            admin: Whether the member may let others act as the group.
        """
        operations.invoke(cls(group, to, inherit=inherit, admin=admin))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"membership {self.to} in {self.group}"

    def pending(self, connection: Connection) -> bool:
        """Look for the membership."""
        found = find(connection, self.group, self.to)
        self._has_options = has_options(connection)
        return found is None or (self._has_options and found.inherits != self.inherit)

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [self._with_options() if self._has_options else self._plain()]

    def guarded_statements(self) -> list[str]:
        """Return a block that looks first, and which version the server is."""
        condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_auth_members a
    JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
    JOIN pg_catalog.pg_roles m ON m.oid = a.member
    WHERE g.rolname = {literal(self.group)} AND m.rolname = {literal(self.to)}
      AND to_jsonb(a) ->> 'set_option' IS DISTINCT FROM 'false'
      AND coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, {self.inherit}) = {self.inherit})"""
        acting = f"""IF current_setting('server_version_num')::int >= 160000 THEN
      EXECUTE {literal(self._with_options())};
    ELSE
      EXECUTE {literal(self._plain())};
    END IF;"""
        return [do_block(unless(condition, acting))]

    def reverse(self) -> MigrateOperation:
        """Revoke it again, unless another database has come to need it."""
        if self.was_there:
            return nothing()
        if self.was_inherited is None:
            return RevokeRole(self.group, self.to, unless_used=True, was_inherited=self.inherit)
        return GrantRole(
            self.group, self.to, inherit=self.was_inherited, was_inherited=self.inherit
        )

    def _plain(self) -> str:
        return f"{self._granting()}{' WITH ADMIN OPTION' if self.admin else ''}"

    def _with_options(self) -> str:
        admin = ", ADMIN TRUE" if self.admin else ""
        return f"{self._granting()} WITH INHERIT {str(self.inherit).upper()}, SET TRUE{admin}"

    def _granting(self) -> str:
        return f"GRANT {identifier(self.group)} TO {identifier(self.to)}"


@dataclass(eq=False)
class RevokeRole(Operation):
    """`REVOKE role FROM role`, if it is a member."""

    operation_name: ClassVar[str] = "revoke_role"
    phase: ClassVar[Phase] = Phase.REVOKE
    on_server: ClassVar[bool] = True
    is_looked_after: ClassVar[bool] = True
    group: str
    member: str
    unless_used: bool = field(default=False, kw_only=True)
    was_inherited: bool = field(default=True, kw_only=True, metadata=UNRENDERED)
    was_admin: bool = field(default=False, kw_only=True, metadata=UNRENDERED)
    _grantors: tuple[str, ...] = field(default=(), init=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def revoke_role(
        cls, operations: Operations, group: str, member: str, *, unless_used: bool = False
    ) -> None:
        """End a role's membership in another, if it is a member.

        Emits `REVOKE … FROM …`, from PostgreSQL 16 on for each that has granted it, which locks no
        table; sessions of the member that act as the group go on as it. Its reverse is
        `op.grant_role`.

        Example:
            op.revoke_role("readwrite", "app_rw")

        Args:
            group: The role that the member may act as, unquoted.
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
        found = find(connection, self.group, self.member)
        if found is None:
            return False
        self._grantors = found.grantors
        used = connection.execute(_USED, {"group": self.group}).scalars().all()
        if self.unless_used and used:
            names = ", ".join(sorted(set(used)))
            log.info("Left alone: %s: %s is used in database %s", self.subject, self.group, names)
            return False
        return True

    def statements(self) -> list[str]:
        """Return a statement for each that has granted it."""
        revoking = f"REVOKE {identifier(self.group)} FROM {identifier(self.member)}"
        by_each = [f"{revoking} GRANTED BY {identifier(name)}" for name in self._grantors]
        return by_each or [revoking]

    def guarded_statements(self) -> list[str]:
        """Return a block that looks first, and who has granted it."""
        used = f"EXISTS ({USED_ELSEWHERE.format(role=literal(self.group))})"
        revoking = f"REVOKE {identifier(self.group)} FROM {identifier(self.member)}"
        text_ = literal(revoking.replace("%", "%%"))
        return [
            do_block(f"""\
DECLARE
  grantor name;
BEGIN
  IF NOT {used if self.unless_used else "false"} THEN
    FOR grantor IN
      SELECT w.rolname FROM pg_catalog.pg_auth_members a
      JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
      JOIN pg_catalog.pg_roles m ON m.oid = a.member
      JOIN pg_catalog.pg_roles w ON w.oid = a.grantor
      WHERE g.rolname = {literal(self.group)} AND m.rolname = {literal(self.member)}
        AND to_jsonb(a) ->> 'set_option' IS DISTINCT FROM 'false'
    LOOP
      IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE format({text_} || ' GRANTED BY %I', grantor);
      ELSE
        {revoking};
      END IF;
    END LOOP;
  END IF;
END""")
        ]

    def reverse(self) -> GrantRole:
        """Grant it again."""
        return GrantRole(self.group, self.member, inherit=self.was_inherited, admin=self.was_admin)


_USED = text(USED_ELSEWHERE.format(role=":group"))
