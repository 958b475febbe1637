"""The operation that gives a table another name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations

from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.core.rename import Rename, server_names_block


@dataclass(eq=False)
class RenameTable(Rename):
    """`ALTER TABLE … RENAME TO`."""

    operation_name: ClassVar[str] = "rename_table_to"
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_table_to(
        cls, operations: Operations, old: str, new: str, *, schema: str | None = None
    ) -> None:
        """Rename a table, unless that is done; Alembic's `op.rename_table` does not look.

        Emits `ALTER TABLE … RENAME TO`, which takes ACCESS EXCLUSIVE for a moment and rewrites
        nothing: rows, indexes, foreign keys, views and privileges follow by themselves. The NOT
        NULL constraints (PostgreSQL 18) and the sequences of identity columns follow where they
        have the names that the server chose; keys, indexes and SERIAL sequences keep theirs. Its
        reverse renames it back. An application that still says the old name fails from then on.

        Example:
            op.rename_table_to("book", "volume")

        Args:
            old: The table as it is called, unquoted.
            new: The name that it shall have, at most 63 bytes.
            schema: Its schema, which stays; by default the first of the search path.

        Raises:
            DifferentObject: There are tables of both names.
            MissingObject: There is neither.
        """
        operations.invoke(cls(old, new, schema=schema))

    def names(self) -> tuple[str, str]:
        """Return both names."""
        return self.old, self.new

    def shown(self, name: str) -> str:
        """Call it by a name."""
        return f"table {self.schema}.{name}" if self.schema else f"table {name}"

    def condition(self, name: str) -> str:
        """Look for a table of a name."""
        place = literal(self.schema) if self.schema else "pg_catalog.current_schema()"
        return f"""EXISTS (
    SELECT FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(name)} AND c.relkind IN ('r', 'p', 'f'))"""

    def statements(self) -> list[str]:
        """Return the statement, and the block for the names that the server chose."""
        return [
            f"ALTER TABLE {qualified(self.schema, self.old)} RENAME TO {identifier(self.new)}",
            server_names_block(self.schema, self.new, (self.old, self.new)),
        ]

    def reverse(self) -> Self:
        """Rename it back."""
        return replace(self, old=self.new, new=self.old)
