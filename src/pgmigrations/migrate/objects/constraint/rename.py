"""The operation that gives a constraint another name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations

from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.core.rename import Rename
from pgmigrations.migrate.objects.constraint.look import shown


@dataclass(eq=False)
class RenameConstraint(Rename):
    """`ALTER TABLE … RENAME CONSTRAINT`."""

    operation_name: ClassVar[str] = "rename_constraint"
    table: str
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_constraint(
        cls,
        operations: Operations,
        table: str,
        old: str,
        new: str,
        *,
        schema: str | None = None,
    ) -> None:
        """Rename a constraint, unless that is done; the index of a key is renamed with it.

        Emits `ALTER TABLE … RENAME CONSTRAINT`, which takes ACCESS EXCLUSIVE for a moment and
        checks nothing again. Its reverse renames it back.

        Example:
            op.rename_constraint("volume", "book_pkey", "volume_pkey")

        Args:
            table: The table, unquoted.
            old: The constraint as it is called, unquoted.
            new: The name that it shall have, at most 63 bytes.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The table has constraints of both names.
            MissingObject: It has neither, or is not there.
        """
        operations.invoke(cls(table, old, new, schema=schema))

    def names(self) -> tuple[str, str]:
        """Return both names."""
        return self.old, self.new

    def shown(self, name: str) -> str:
        """Call it by a name."""
        return shown(self.schema, self.table, name)

    def condition(self, name: str) -> str:
        """Look for a constraint of a name."""
        place = literal(self.schema) if self.schema else "pg_catalog.current_schema()"
        return f"""EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(self.table)}
      AND k.conname = {literal(name)})"""

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [
            f"ALTER TABLE {qualified(self.schema, self.table)} "
            f"RENAME CONSTRAINT {identifier(self.old)} TO {identifier(self.new)}"
        ]

    def reverse(self) -> Self:
        """Rename it back."""
        return replace(self, old=self.new, new=self.old)
