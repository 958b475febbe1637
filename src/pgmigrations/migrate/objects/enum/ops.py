"""The operations that make and remove an enumerated type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    TYPE,
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import (
    do_block,
    literal,
    qualified,
    text_array,
    unless,
)
from pgmigrations.migrate.objects.enum.catalog import find
from pgmigrations.migrate.objects.enum.look import checked_labels, shown, type_lookup


@dataclass(eq=False)
class CreateEnum(Operation):
    """`CREATE TYPE … AS ENUM`, unless it is there."""

    operation_name: ClassVar[str] = "create_enum"
    phase: ClassVar[Phase] = Phase.CREATE_TYPE
    name: str
    labels: Sequence[str]
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def create_enum(
        cls,
        operations: Operations,
        name: str,
        labels: Sequence[str],
        *,
        schema: str | None = None,
    ) -> None:
        """Create an enumerated type, unless it is there with the same labels.

        Emits `CREATE TYPE … AS ENUM`, which locks no table. Its reverse is `op.drop_enum`.
        PostgreSQL 14 or newer (PostgreSQL manual, 8.7 Enumerated Types).

        Example:
            op.create_enum("job_status", ["pending", "running", "done"])

        Args:
            name: The type, unquoted.
            labels: Its labels in order, each at most 63 bytes.
            schema: Its schema; by default the first of the search path.

        Raises:
            DifferentObject: A type of that name is there, with other labels or of another sort.
            NameTooLong: The name or a label has more than 63 bytes.
        """
        operations.invoke(cls(name, labels, schema=schema))

    def takes(self) -> list[Name]:
        """Return the type's name."""
        return [(TYPE, self.schema, self.name)]

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the type and its labels."""
        found = find(connection, self.schema, self.name)
        if found is None:
            return True
        if found != tuple(self.labels):
            raise DifferentObject(
                self.subject, f"labels {', '.join(self.labels)}", _described(found)
            )
        return False

    def statements(self) -> list[str]:
        """Return the one statement."""
        labels = ", ".join(literal(label) for label in checked_labels(self.labels))
        return [f"CREATE TYPE {qualified(self.schema, self.name)} AS ENUM ({labels})"]

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the labels of a type that is there."""
        wanted = text_array(self.labels)
        return [
            do_block(f"""\
DECLARE
  found text[] := {type_lookup(self.schema, self.name)};
BEGIN
  IF found IS NULL THEN
    {self.statements()[0]};
  ELSIF found <> {wanted} THEN
    RAISE EXCEPTION '% is there with other labels: %', {literal(self.subject)}, found;
  END IF;
END""")
        ]

    def reverse(self) -> DropEnum:
        """Drop it again."""
        return DropEnum(self.name, schema=self.schema, labels=tuple(self.labels))


@dataclass(eq=False)
class DropEnum(Operation):
    """`DROP TYPE`, if it is there."""

    operation_name: ClassVar[str] = "drop_enum"
    phase: ClassVar[Phase] = Phase.DROP_TYPE
    name: str
    schema: str | None = field(default=None, kw_only=True)
    labels: tuple[str, ...] | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def drop_enum(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop an enumerated type, if it is there; another sort of type of its name stays.

        Emits `DROP TYPE IF EXISTS … RESTRICT`: refused by the server while a column, a default or
        a function still uses it. Locks no table. Its reverse is `op.create_enum`.

        Example:
            op.drop_enum("job_status")

        Args:
            name: The type, unquoted.
            schema: Its schema; by default the first of the search path.
        """
        operations.invoke(cls(name, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the type."""
        found = find(connection, self.schema, self.name)
        return isinstance(found, tuple)

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP TYPE IF EXISTS {qualified(self.schema, self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves another sort of type alone."""
        is_none = f"({type_lookup(self.schema, self.name)} IS NULL)"
        return [do_block(unless(is_none, f"{self.statements()[0]};"))]

    def reverse(self) -> CreateEnum:
        """Create it with the labels that it had."""
        if self.labels is None:
            raise IrreversibleOperation(
                f"The labels that {self.subject} had are not known",
                "Write op.create_enum() in downgrade() by hand",
            )
        return CreateEnum(self.name, list(self.labels), schema=self.schema)


def _described(found: tuple[str, ...] | str) -> str:
    return f"a {found}" if isinstance(found, str) else f"labels {', '.join(found)}"
