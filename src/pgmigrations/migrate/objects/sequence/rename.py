"""The operation that gives a sequence another name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from alembic.operations import Operations

from pgmigrations.migrate.core.quoting import identifier, qualified
from pgmigrations.migrate.core.rename import Rename
from pgmigrations.migrate.objects.sequence.catalog import lookup
from pgmigrations.migrate.objects.sequence.ops import shown


@dataclass(eq=False)
class RenameSequence(Rename):
    """`ALTER SEQUENCE … RENAME TO`."""

    operation_name: ClassVar[str] = "rename_sequence"
    old: str
    new: str
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def rename_sequence(
        cls, operations: Operations, old: str, new: str, *, schema: str | None = None
    ) -> None:
        """Rename a sequence, unless that is done; where it is counting stays.

        Emits `ALTER SEQUENCE … RENAME TO`, which takes ACCESS EXCLUSIVE on the sequence for a
        moment, so nobody draws a number meanwhile. The defaults that use it follow by themselves.
        Its reverse renames it back.

        Example:
            op.rename_sequence("book_id_seq", "volume_id_seq")

        Args:
            old: The sequence as it is called, unquoted.
            new: The name that it shall have, at most 63 bytes.
            schema: Its schema; by default the first of the search path.

        Raises:
            DifferentObject: There are sequences of both names.
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
        """Look for a sequence of a name."""
        return lookup(self.schema, name)

    def statements(self) -> list[str]:
        """Return the one statement."""
        old = qualified(self.schema, self.old)
        return [f"ALTER SEQUENCE {old} RENAME TO {identifier(self.new)}"]

    def reverse(self) -> Self:
        """Rename it back."""
        return replace(self, old=self.new, new=self.old)
