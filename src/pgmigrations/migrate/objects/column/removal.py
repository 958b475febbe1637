"""A column that goes, and how it comes back."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.operations.ops import AddColumnOp, DropColumnOp, MigrateOperation, ModifyTableOps


class DropColumn(DropColumnOp):
    """Alembic's operation, whose reverse makes the column as it was.

    Args:
        added: The operation that adds it.
        completing: Those for what that one has no word for.
    """

    def __init__(self, added: AddColumnOp, completing: Sequence[MigrateOperation] = ()) -> None:
        super().__init__(added.table_name, added.column.name, schema=added.schema)
        self.making = (added, *completing)

    def reverse(self) -> ModifyTableOps:  # type: ignore[override]
        """Add it again."""
        return ModifyTableOps(self.table_name, [*self.making], schema=self.schema)
