"""The operations on privileges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection

from pgmigrations.declare.privilege import checked
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.operation import UNRENDERED, Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import identifier
from pgmigrations.migrate.objects.grant.catalog import Held, held
from pgmigrations.migrate.objects.grant.statement import ending_of, looking, plain

SORTS = ("table", "sequence", "schema", "database")


class UnknownSort(PgMigrationsError):
    """A sort of object on which no privileges are granted here."""


@dataclass(eq=False)
class Privileges(Operation):
    """What granting and revoking have in common."""

    is_looked_after: ClassVar[bool] = True
    privileges: Sequence[str]
    on: str
    names: Sequence[str]
    role: str
    schema: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.on not in SORTS:
            raise UnknownSort(
                f"op.{self.operation_name}() knows no {self.on!r}", f"Choose {', '.join(SORTS)}"
            )
        if isinstance(self.names, str):
            raise TypeError(f"op.{self.operation_name}() takes several names: [{self.names!r}]")
        where = f"op.{self.operation_name}(…, {self.role!r})"
        self.privileges = list(checked(self.privileges, self.on, where))
        self.names = list(self.names)

    @property
    def subject(self) -> str:
        """What it changes."""
        names = ", ".join(self.names)
        what = f"{self.on} {names}" if names else self.on
        return f"privileges of {self.role} on {what}"

    def merged(self, following: MigrateOperation) -> Self | None:
        """Say the same of several objects at once."""
        if type(following) is not type(self) or self.on == "database":
            return None
        assert isinstance(following, Privileges)
        if replace(following, names=self.names).__dict__ != self.__dict__:
            return None
        return replace(self, names=[*self.names, *following.names])

    def held(self, connection: Connection) -> dict[str, Held]:
        """Look up what the role may do with those of the objects that are there."""
        return held(connection, self.on, self.schema, self.names or [""], self.role)


@dataclass(eq=False)
class Grant(Privileges):
    """`GRANT … ON … TO …`, for what the role has not."""

    operation_name: ClassVar[str] = "grant"
    phase: ClassVar[Phase] = Phase.GRANT
    grantable: bool = field(default=False, kw_only=True)
    option_only: bool = field(default=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def grant(
        cls,
        operations: Operations,
        privileges: Sequence[str],
        on: str,
        names: Sequence[str],
        role: str,
        *,
        grantable: bool = False,
        schema: str | None = None,
    ) -> None:
        """Give a role privileges on objects, unless it has them.

        Emits `GRANT`, which locks no table. Its reverse is `op.revoke`. PostgreSQL 14 or newer
        (PostgreSQL manual, GRANT).

        Example:
            op.grant(["SELECT", "INSERT"], "table", ["users", "faq"], "readwrite")
            op.grant(["CONNECT"], "database", [], "readwrite")

        Args:
            privileges: Their names.
            on: What they are on: `table`, `sequence`, `schema` or `database`, the connected one.
            names: The objects, unquoted; none for the database.
            role: Who shall have them, unquoted; `public` is every role.
            grantable: Whether the role may grant them in its turn.
            schema: The schema of tables and sequences; by default the first of the search path.

        Raises:
            UnknownSort: There are no such objects.
        """
        operations.invoke(cls(privileges, on, names, role, grantable=grantable, schema=schema))

    def pending(self, connection: Connection) -> bool:
        """Look for a privilege that the role has not; what is missing the server tells."""
        there, wanted = self.held(connection), set(self.privileges)
        for name in self.names or [""]:
            found = there.get(name)
            if found is None:
                return True
            if not wanted <= (found.grantable if self.grantable else found.privileges):
                return True
        return False

    def statements(self) -> list[str]:
        """Return the one statement."""
        ending = ending_of("TO", self.role, option=self.grantable)
        return plain(
            f"GRANT {', '.join(self.privileges)}", self.on, self.schema, self.names, ending
        )

    # To grant once more what is granted changes nothing.
    guarded_statements = statements

    def reverse(self) -> Revoke:
        """Revoke them again."""
        return Revoke(
            self.privileges,
            self.on,
            self.names,
            self.role,
            option_only=self.option_only,
            was_grantable=self.grantable,
            schema=self.schema,
        )


@dataclass(eq=False)
class Revoke(Privileges):
    """`REVOKE … ON … FROM …`, of what the role has."""

    operation_name: ClassVar[str] = "revoke"
    phase: ClassVar[Phase] = Phase.REVOKE
    option_only: bool = field(default=False, kw_only=True)
    was_grantable: bool = field(default=False, kw_only=True, metadata=UNRENDERED)
    _there: dict[str, Held] = field(
        default_factory=dict, init=False, kw_only=True, metadata=UNRENDERED
    )

    @classmethod
    def revoke(
        cls,
        operations: Operations,
        privileges: Sequence[str],
        on: str,
        names: Sequence[str],
        role: str,
        *,
        option_only: bool = False,
        schema: str | None = None,
    ) -> None:
        """Take privileges on objects from a role, if it has them.

        Emits `REVOKE`, which locks no table; an object or a role that is not there has none, and an
        owner keeps what is his. Privileges on single columns, which go with those on the table, are
        granted again. Refused by the server where the role has granted them to others. Its reverse
        is `op.grant`.

        Example:
            op.revoke(["DELETE"], "table", ["users"], "readwrite")

        Args:
            privileges: Their names.
            on: What they are on: `table`, `sequence`, `schema` or `database`, the connected one.
            names: The objects, unquoted; none for the database.
            role: Who has them, unquoted; `public` is every role.
            option_only: Whether only the right to grant them goes.
            schema: The schema of tables and sequences; by default the first of the search path.

        Raises:
            UnknownSort: There are no such objects.
        """
        operations.invoke(cls(privileges, on, names, role, option_only=option_only, schema=schema))

    def pending(self, connection: Connection) -> bool:
        """Look for a privilege that the role has by a grant, and for those on single columns."""
        gone = set(self.privileges)
        self._there = {
            name: found
            for name, found in self.held(connection).items()
            if not found.is_owners
            and gone & (found.grantable if self.option_only else found.privileges)
        }
        return bool(self._there)

    def statements(self) -> list[str]:
        """Return the statement, and those that give back what goes with it on single columns."""
        ending = ending_of("FROM", self.role)
        names = [name for name in self.names if name in self._there] or self.names
        revoked = plain(self._verb(), self.on, self.schema, names, ending)
        given_back = [
            statement
            for name, found in self._there.items()
            for column, privilege, option in found.columns
            if privilege in self.privileges
            for statement in plain(
                f"GRANT {privilege} ({identifier(column)})",
                self.on,
                self.schema,
                [name],
                ending_of("TO", self.role, option=option),
            )
        ]
        return [*revoked, *given_back]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves out what is not there."""
        ending = ending_of("FROM", self.role)
        return [looking(self._verb(), self.on, self.schema, self.names, self.role, ending)]

    def reverse(self) -> Grant:
        """Grant them again."""
        return Grant(
            self.privileges,
            self.on,
            self.names,
            self.role,
            grantable=self.was_grantable or self.option_only,
            option_only=self.option_only,
            schema=self.schema,
        )

    def _verb(self) -> str:
        option = "GRANT OPTION FOR " if self.option_only else ""
        return f"REVOKE {option}{', '.join(self.privileges)}"
