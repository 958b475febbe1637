"""The operations on extensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, unless
from pgmigrations.migrate.objects.extension.catalog import find


@dataclass(eq=False)
class CreateExtension(Operation):
    """`CREATE EXTENSION`, unless it is there."""

    operation_name: ClassVar[str] = "create_extension"
    phase: ClassVar[Phase] = Phase.CREATE_EXTENSION
    name: str
    schema: str | None = field(default=None, kw_only=True)
    version: str | None = field(default=None, kw_only=True)

    @classmethod
    def create_extension(
        cls,
        operations: Operations,
        name: str,
        *,
        schema: str | None = None,
        version: str | None = None,
    ) -> None:
        """Create an extension, unless the database has it.

        Emits `CREATE EXTENSION IF NOT EXISTS`, which locks no table. Its reverse is
        `op.drop_extension`. PostgreSQL 14 or newer; "trusted" extensions need CREATE on the
        database, the others a superuser (PostgreSQL manual, CREATE EXTENSION).

        Example:
            op.create_extension("vector")

        Args:
            name: The extension, unquoted.
            schema: Where its objects go; by default the first schema of the search path.
            version: The version; by default the newest that the server has.

        Raises:
            DifferentObject: It is there, in another schema or version than was asked for.
        """
        operations.invoke(cls(name, schema=schema, version=version))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"extension {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look for the extension."""
        found = find(connection, self.name)
        if found is None:
            return True
        if self.schema not in (None, found.installed_in):
            raise DifferentObject(
                self.subject, f"schema {self.schema}", f"schema {found.installed_in}"
            )
        if self.version not in (None, found.version):
            raise DifferentObject(
                self.subject, f"version {self.version}", f"version {found.version}"
            )
        return False

    def statements(self) -> list[str]:
        """Return the one statement."""
        schema = f" SCHEMA {identifier(self.schema)}" if self.schema else ""
        version = f" VERSION {literal(self.version)}" if self.version else ""
        return [f"CREATE EXTENSION IF NOT EXISTS {identifier(self.name)}{schema}{version}"]

    guarded_statements = statements

    def reverse(self) -> DropExtension:
        """Drop it again."""
        return DropExtension(self.name, installed_in=self.schema, version=self.version)


@dataclass(eq=False)
class DropExtension(Operation):
    """`DROP EXTENSION`, if it is there."""

    operation_name: ClassVar[str] = "drop_extension"
    phase: ClassVar[Phase] = Phase.DROP_EXTENSION
    name: str
    installed_in: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    version: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def drop_extension(cls, operations: Operations, name: str) -> None:
        """Drop an extension, if the database has it and this role may.

        Emits `DROP EXTENSION IF EXISTS … RESTRICT`: refused by the server while a table, an
        index or a default still needs the extension. One that an administrator made is left
        where it is. Its reverse is `op.create_extension`.

        Example:
            op.drop_extension("vector")

        Args:
            name: The extension, unquoted.
        """
        operations.invoke(cls(name))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"extension {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look for the extension, and whether this role is a member of its owner."""
        found = find(connection, self.name)
        if found is not None and not found.is_ours:
            log.info(
                "Left alone: %s belongs to another role, which alone may drop it", self.subject
            )
            return False
        return found is not None

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP EXTENSION IF EXISTS {identifier(self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves the extension of another role alone."""
        condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_extension e
    WHERE e.extname = {literal(self.name)} AND NOT pg_catalog.pg_has_role(e.extowner, 'USAGE'))"""
        return [do_block(unless(condition, f"{self.statements()[0]};"))]

    def reverse(self) -> CreateExtension:
        """Create it where it was; the version is the server's choice, as old ones get lost."""
        schema = None if self.installed_in == "public" else self.installed_in
        return CreateExtension(self.name, schema=schema, version=self.version)


@dataclass(eq=False)
class AlterExtension(Operation):
    """`ALTER EXTENSION … SET SCHEMA` and `… UPDATE TO`."""

    operation_name: ClassVar[str] = "alter_extension"
    phase: ClassVar[Phase] = Phase.CREATE_EXTENSION
    name: str
    schema: str | None = field(default=None, kw_only=True)
    version: str | None = field(default=None, kw_only=True)
    existing_schema: str | None = field(default=None, kw_only=True)
    existing_version: str | None = field(default=None, kw_only=True)

    @classmethod
    def alter_extension(
        cls,
        operations: Operations,
        name: str,
        *,
        schema: str | None = None,
        version: str | None = None,
        existing_schema: str | None = None,
        existing_version: str | None = None,
    ) -> None:
        """Move an extension to another schema, or update it to another version.

        Emits `ALTER EXTENSION … SET SCHEMA` and `… UPDATE TO`. An update runs the extension's own
        script, whose locks are its own. Its reverse swaps what is wanted with what existed; few
        extensions have a script that goes back to an older version.

        Example:
            op.alter_extension("vector", version="0.8.0", existing_version="0.7.0")

        Args:
            name: The extension, unquoted.
            schema: The new schema; None leaves it.
            version: The new version; None leaves it.
            existing_schema: The schema before, for the reverse.
            existing_version: The version before, for the reverse.

        Raises:
            MissingObject: The extension is not installed.
        """
        operations.invoke(
            cls(
                name,
                schema=schema,
                version=version,
                existing_schema=existing_schema,
                existing_version=existing_version,
            )
        )

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"extension {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look where and at which version the extension is."""
        found = find(connection, self.name)
        if found is None:
            raise MissingObject(self.subject, "Create it first, with op.create_extension()")
        moved = self.schema not in (None, found.installed_in)
        return moved or self.version not in (None, found.version)

    def statements(self) -> list[str]:
        """Return a statement for each thing that changes; either may be repeated."""
        alter = f"ALTER EXTENSION {identifier(self.name)}"
        statements = []
        if self.schema:
            statements.append(f"{alter} SET SCHEMA {identifier(self.schema)}")
        if self.version:
            statements.append(f"{alter} UPDATE TO {literal(self.version)}")
        return statements

    guarded_statements = statements

    def reverse(self) -> AlterExtension:
        """Go back to the schema and the version before."""
        if (self.schema and not self.existing_schema) or (
            self.version and not self.existing_version
        ):
            raise IrreversibleOperation(
                f"{self.subject} cannot be altered back",
                "Say existing_schema= and existing_version= in op.alter_extension()",
            )
        return AlterExtension(
            self.name,
            schema=self.existing_schema,
            version=self.existing_version,
            existing_schema=self.schema,
            existing_version=self.version,
        )
