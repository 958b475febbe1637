"""The operation that changes a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import (
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal, unless
from pgmigrations.migrate.core.shared_object import USED_ELSEWHERE
from pgmigrations.migrate.objects.role.catalog import RoleRecord, as_compared, find, properties_of
from pgmigrations.migrate.objects.role.statement import alteration


@dataclass(eq=False)
class AlterRole(Operation):
    """`ALTER ROLE`, for whatever of it is not yet done."""

    operation_name: ClassVar[str] = "alter_role"
    phase: ClassVar[Phase] = Phase.CREATE_ROLE
    on_server: ClassVar[bool] = True
    name: str
    properties: Mapping[str, Any]
    existing: Mapping[str, Any] | None = field(default=None, kw_only=True)
    unless_used: bool = field(default=False, kw_only=True)

    @classmethod
    def alter_role(
        cls,
        operations: Operations,
        name: str,
        properties: Mapping[str, Any],
        *,
        existing: Mapping[str, Any] | None = None,
        unless_used: bool = False,
    ) -> None:
        """Change properties of a role.

        Emits `ALTER ROLE`, `ALTER ROLE … SET`, `… RESET` and `COMMENT ON ROLE`, which lock no
        table; needs CREATEROLE, and ADMIN on the role from PostgreSQL 16 on. Its reverse swaps
        both states.

        Example:
            op.alter_role(
                "app_rw",
                {"settings": {"statement_timeout": "30s"}},
                existing={"settings": {"statement_timeout": None}},
            )

        Args:
            name: The role, unquoted.
            properties: What changes, as `op.create_role` takes it; a setting that is None is
                reset.
            existing: The same properties as they were before; needed for the reverse.
            unless_used: Whether it stays as it is, and that is said, where it, or a role that it is
                a member of, is used in another database of the server.

        Raises:
            DifferentObject: A property is neither as before nor as wanted.
            MissingObject: The role is not there.
        """
        operations.invoke(cls(name, properties, existing=existing, unless_used=unless_used))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"role {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look at every property that changes."""
        found = find(connection, self.name)
        if found is None:
            raise MissingObject(self.subject, "Create it first, with op.create_role()")
        there = _part(found, self.properties)
        if there == _flat(self.properties):
            return False
        used = sorted(set(connection.execute(_USED, {"name": self.name}).scalars()))
        if self.unless_used and used:
            log.info("Left alone: %s is used in database %s", self.subject, ", ".join(used))
            return False
        existing = _flat(self.existing or {})
        for key, value in there.items():
            if value not in (_flat(self.properties)[key], existing.get(key, value)):
                raise DifferentObject(self.subject, str(dict(self.properties)), str(there))
        return True

    def statements(self) -> list[str]:
        """Return a statement for each thing that changes; each may be repeated."""
        return [*alteration(self.name, self.properties)]

    def guarded_statements(self) -> list[str]:
        """Return the statements, in a block where another database may need the role as it is."""
        if not self.unless_used:
            return self.statements()
        condition = f"EXISTS ({USED_ELSEWHERE.format(role=literal(self.name))})"
        return [do_block(unless(condition, ";\n    ".join([*self.statements(), ""]).rstrip()))]

    def reverse(self) -> AlterRole:
        """Go back to the properties before."""
        if self.existing is None:
            raise IrreversibleOperation(
                f"{self.subject} cannot be altered back", "Say existing= in op.alter_role()"
            )
        return AlterRole(
            self.name, self.existing, existing=self.properties, unless_used=not self.unless_used
        )


_USED = text(USED_ELSEWHERE.format(role=":name"))


def _flat(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give every setting a key of its own."""
    found = {key: value for key, value in properties.items() if key != "settings"}
    for name, value in properties.get("settings", {}).items():
        found[f"settings.{name}"] = (
            None if value is None else dict(as_compared([(name, value)]))[name.lower()]
        )
    return found


def _part(record: RoleRecord, properties: Mapping[str, Any]) -> dict[str, Any]:
    there = properties_of(record)
    found = {key: there[key] for key in properties if key != "settings"}
    for name in properties.get("settings", {}):
        found[f"settings.{name}"] = there["settings"].get(name.lower())
    return found
