"""The operations on schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, unless
from pgmigrations.migrate.objects.schema.catalog import HOLDS_SOMETHING, find


@dataclass(eq=False)
class CreateSchema(Operation):
    """`CREATE SCHEMA`, unless it is there."""

    operation_name: ClassVar[str] = "create_schema"
    phase: ClassVar[Phase] = Phase.CREATE_SCHEMA
    name: str

    @classmethod
    def create_schema(cls, operations: Operations, name: str) -> None:
        """Create a schema, unless the database has it.

        Emits `CREATE SCHEMA IF NOT EXISTS`, which locks no table and needs CREATE on the
        database. Its reverse is `op.drop_schema`. PostgreSQL 14 or newer (PostgreSQL manual,
        5.10 Schemas).

        Example:
            op.create_schema("billing")

        Args:
            name: The schema, unquoted.
        """
        operations.invoke(cls(name))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"schema {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look for the schema."""
        return find(connection, self.name) is None

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"CREATE SCHEMA IF NOT EXISTS {identifier(self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that needs no right to create where the schema is there."""
        condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = {literal(self.name)})"""
        return [do_block(unless(condition, f"{self.statements()[0]};"))]

    def reverse(self) -> DropSchema:
        """Drop it again, where nothing else has moved in."""
        return DropSchema(self.name)


@dataclass(eq=False)
class DropSchema(Operation):
    """`DROP SCHEMA`, if it is there and empty."""

    operation_name: ClassVar[str] = "drop_schema"
    phase: ClassVar[Phase] = Phase.DROP_SCHEMA
    name: str

    @classmethod
    def drop_schema(cls, operations: Operations, name: str) -> None:
        """Drop a schema that holds nothing, if the database has it and this role may.

        Emits `DROP SCHEMA IF EXISTS … RESTRICT`, which locks no table. A schema that holds what no
        revision made, and one of another role, is left where it is. Its reverse is
        `op.create_schema`.

        Example:
            op.drop_schema("billing")

        Args:
            name: The schema, unquoted.
        """
        operations.invoke(cls(name))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"schema {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look for the schema, and whether it is empty and this role a member of its owner."""
        found = find(connection, self.name)
        if found is None:
            return False
        if found.is_used or not found.may_drop:
            reason = "holds other objects" if found.is_used else "belongs to another role"
            log.info("Left alone: %s %s", self.subject, reason)
            return False
        return True

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP SCHEMA IF EXISTS {identifier(self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves a schema in use, or another role's, alone."""
        condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = {literal(self.name)}
    AND ({HOLDS_SOMETHING} OR NOT pg_catalog.pg_has_role(n.nspowner, 'USAGE')))"""
        return [do_block(unless(condition, f"{self.statements()[0]};"))]

    def reverse(self) -> CreateSchema:
        """Create it again."""
        return CreateSchema(self.name)
