"""The operations on default privileges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.declare.grant import DEFAULT_ON
from pgmigrations.declare.privilege import checked
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.operation import UNRENDERED, Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import grantee, identifier, literal
from pgmigrations.migrate.objects.default_privilege.block import altering, known
from pgmigrations.migrate.objects.default_privilege.catalog import held


class UnknownSort(PgMigrationsError):
    """A sort of object for which no default privileges are granted here."""


@dataclass(eq=False)
class DefaultPrivileges(Operation):
    """What granting and revoking have in common."""

    is_looked_after: ClassVar[bool] = True
    privileges: Sequence[str]
    on: str
    role: str
    for_role: str = field(kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.on not in DEFAULT_ON:
            raise UnknownSort(
                f"op.{self.operation_name}() knows no {self.on!r}",
                f"Choose {', '.join(DEFAULT_ON)}",
            )
        where = f"op.{self.operation_name}(…, {self.role!r})"
        self.privileges = list(checked(self.privileges, DEFAULT_ON[self.on], where))

    @property
    def subject(self) -> str:
        """What it changes."""
        where = f" in {self.schema}" if self.schema else ""
        return f"privileges of {self.role} on {self.on} that {self.for_role} makes{where}"

    def held(self, connection: Connection) -> tuple[frozenset[str], frozenset[str]]:
        """Look up what the role has, and what of it it may grant."""
        return held(connection, self.on, self.schema, self.for_role, self.role)

    def altered(self, change: str) -> str:
        """Write the statement around what changes."""
        where = f" IN SCHEMA {identifier(self.schema)}" if self.schema else ""
        return f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(self.for_role)}{where} {change}"

    def listed(self) -> str:
        """Write the privileges and what they are on."""
        return f"{', '.join(self.privileges)} ON {self.on.upper()}"


@dataclass(eq=False)
class GrantDefaultPrivileges(DefaultPrivileges):
    """`ALTER DEFAULT PRIVILEGES … GRANT`, for what the role has not."""

    operation_name: ClassVar[str] = "grant_default_privileges"
    phase: ClassVar[Phase] = Phase.GRANT
    grantable: bool = field(default=False, kw_only=True)
    option_only: bool = field(default=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def grant_default_privileges(
        cls,
        operations: Operations,
        privileges: Sequence[str],
        on: str,
        role: str,
        *,
        for_role: str,
        grantable: bool = False,
        schema: str | None = None,
    ) -> None:
        """Give a role privileges on what another role will make in this database.

        Emits `ALTER DEFAULT PRIVILEGES FOR ROLE … GRANT` in a block, which locks no table. A role
        that made `for_role`, and may therefore act as it, is enough: where it has not its
        privileges yet, it grants them to itself for the statement. Its reverse is
        `op.revoke_default_privileges`. PostgreSQL 14 or newer (PostgreSQL manual, ALTER DEFAULT
        PRIVILEGES).

        Example:
            op.grant_default_privileges(
                ["SELECT"], "tables", "readwrite", for_role="tablecreator", schema="public"
            )

        Args:
            privileges: Their names.
            on: `tables`, `sequences`, `functions` or `types`.
            role: Who shall have them, unquoted; `public` is every role.
            for_role: Who will make them, unquoted.
            grantable: Whether the role may grant them in its turn.
            schema: Where they will be made; by default in every schema.

        Raises:
            UnknownSort: There are no such objects.
        """
        operations.invoke(
            cls(privileges, on, role, for_role=for_role, grantable=grantable, schema=schema)
        )

    def pending(self, connection: Connection) -> bool:
        """Look for a privilege that the role has not."""
        privileges, grantable = self.held(connection)
        return not set(self.privileges) <= (grantable if self.grantable else privileges)

    def statements(self) -> list[str]:
        """Return the block."""
        option = " WITH GRANT OPTION" if self.grantable else ""
        change = f"GRANT {self.listed()} TO {grantee(self.role)}{option}"
        return [altering(self.for_role, self.altered(change))]

    # To grant once more what is granted changes nothing.
    guarded_statements = statements

    def reverse(self) -> RevokeDefaultPrivileges:
        """Revoke them again."""
        return RevokeDefaultPrivileges(
            self.privileges,
            self.on,
            self.role,
            for_role=self.for_role,
            option_only=self.option_only,
            was_grantable=self.grantable,
            schema=self.schema,
        )


@dataclass(eq=False)
class RevokeDefaultPrivileges(DefaultPrivileges):
    """`ALTER DEFAULT PRIVILEGES … REVOKE`, of what the role has."""

    operation_name: ClassVar[str] = "revoke_default_privileges"
    phase: ClassVar[Phase] = Phase.REVOKE
    option_only: bool = field(default=False, kw_only=True)
    was_grantable: bool = field(default=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def revoke_default_privileges(
        cls,
        operations: Operations,
        privileges: Sequence[str],
        on: str,
        role: str,
        *,
        for_role: str,
        option_only: bool = False,
        schema: str | None = None,
    ) -> None:
        """Take privileges on what another role will make from a role, if it has them.

        Emits `ALTER DEFAULT PRIVILEGES FOR ROLE … REVOKE` in a block, which locks no table. What
        has been made already keeps its privileges. Its reverse is `op.grant_default_privileges`.

        Example:
            op.revoke_default_privileges(["DELETE"], "tables", "readwrite", for_role="tablecreator")

        Args:
            privileges: Their names.
            on: `tables`, `sequences`, `functions` or `types`.
            role: Who has them, unquoted; `public` is every role.
            for_role: Who will make them, unquoted.
            option_only: Whether only the right to grant them goes.
            schema: Where they will be made; by default in every schema.

        Raises:
            UnknownSort: There are no such objects.
        """
        operations.invoke(
            cls(privileges, on, role, for_role=for_role, option_only=option_only, schema=schema)
        )

    def pending(self, connection: Connection) -> bool:
        """Look for a privilege that the role has."""
        privileges, grantable = self.held(connection)
        return bool(set(self.privileges) & (grantable if self.option_only else privileges))

    def statements(self) -> list[str]:
        """Return the block."""
        return [altering(self.for_role, self._statement())]

    def guarded_statements(self) -> list[str]:
        """Return a block that does nothing where a role or the schema is not there."""
        needed = known(self.role, self.for_role)
        if self.schema:
            needed += f" AND to_regnamespace(quote_ident({literal(self.schema)})) IS NOT NULL"
        return [altering(self.for_role, self._statement(), needed=needed)]

    def reverse(self) -> GrantDefaultPrivileges:
        """Grant them again."""
        return GrantDefaultPrivileges(
            self.privileges,
            self.on,
            self.role,
            for_role=self.for_role,
            grantable=self.was_grantable or self.option_only,
            option_only=self.option_only,
            schema=self.schema,
        )

    def _statement(self) -> str:
        option = "GRANT OPTION FOR " if self.option_only else ""
        return self.altered(f"REVOKE {option}{self.listed()} FROM {grantee(self.role)}")
