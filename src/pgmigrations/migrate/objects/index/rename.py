"""The operation that gives an index another name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations

from pgmigrations.migrate.core.quoting import identifier, qualified
from pgmigrations.migrate.core.rename import Rename
from pgmigrations.migrate.objects.index.look import lookup, shown


@dataclass(eq=False)
class RenameIndex(Rename):
    """`ALTER INDEX … RENAME TO`."""

    operation_name: ClassVar[str] = "rename_index"
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_index(
        cls, operations: Operations, old: str, new: str, *, schema: str | None = None
    ) -> None:
        """Rename an index, unless that is done.

        Emits `ALTER INDEX … RENAME TO`, which takes SHARE UPDATE EXCLUSIVE on the index, so that
        reads and writes go on, and builds nothing. Its reverse renames it back.

        Example:
            op.rename_index("ix_book_year", "ix_book_publication_year")

        Args:
            old: The index as it is called, unquoted.
            new: The name that it shall have, at most 63 bytes.
            schema: Its schema; by default the first of the search path.

        Raises:
            DifferentObject: There are indexes of both names.
            MissingObject: There is neither.
        """
        operations.invoke(cls(old, new, schema=schema))

    def names(self) -> tuple[str, str]:
        """Return both names."""
        return self.old, self.new

    def shown(self, name: str) -> str:
        """Call it by a name."""
        return shown(self.schema, name)

    def condition(self, name: str) -> str:
        """Look for an index of a name."""
        return lookup(self.schema, name)

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"ALTER INDEX {qualified(self.schema, self.old)} RENAME TO {identifier(self.new)}"]

    def reverse(self) -> Self:
        """Rename it back."""
        return replace(self, old=self.new, new=self.old)
