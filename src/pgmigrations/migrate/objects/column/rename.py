"""The operation that gives a column another name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations

from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.core.rename import Rename, server_names_block


@dataclass(eq=False)
class RenameColumn(Rename):
    """`ALTER TABLE … RENAME COLUMN`."""

    operation_name: ClassVar[str] = "rename_column"
    table: str
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_column(
        cls,
        operations: Operations,
        table: str,
        old: str,
        new: str,
        *,
        schema: str | None = None,
    ) -> None:
        """Rename a column, unless that is done.

        Emits `ALTER TABLE … RENAME COLUMN`, which takes ACCESS EXCLUSIVE for a moment and rewrites
        nothing: rows, indexes, constraints, defaults and views follow by themselves. Its NOT NULL
        constraint (PostgreSQL 18) and the sequence of an identity follow where they have the names
        that the server chose; keys, indexes and a SERIAL's sequence keep theirs. Its reverse
        renames it back. An application that still says the old name fails from then on.

        Example:
            op.rename_column("book", "year", "publication_year")

        Args:
            table: The table, unquoted.
            old: The column as it is called, unquoted.
            new: The name that it shall have, at most 63 bytes.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The table has columns of both names.
            MissingObject: It has neither, or is not there.
        """
        operations.invoke(cls(table, old, new, schema=schema))

    def names(self) -> tuple[str, str]:
        """Return both names."""
        return self.old, self.new

    def shown(self, name: str) -> str:
        """Call it by a name."""
        place = f"{self.schema}." if self.schema else ""
        return f"column {name} of {place}{self.table}"

    def condition(self, name: str) -> str:
        """Look for a column of a name."""
        place = literal(self.schema) if self.schema else "pg_catalog.current_schema()"
        return f"""EXISTS (
    SELECT FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(self.table)}
      AND c.relkind IN ('r', 'p', 'f') AND a.attname = {literal(name)}
      AND a.attnum > 0 AND NOT a.attisdropped)"""

    def statements(self) -> list[str]:
        """Return the statement, and the block for the names that the server chose."""
        table = qualified(self.schema, self.table)
        return [
            f"ALTER TABLE {table} RENAME COLUMN {identifier(self.old)} TO {identifier(self.new)}",
            server_names_block(
                self.schema, self.table, (self.table, self.table), (self.old, self.new)
            ),
        ]

    def reverse(self) -> Self:
        """Rename it back."""
        return replace(self, old=self.new, new=self.old)
