"""A column that goes, and how it comes back."""

from __future__ import annotations

from alembic.operations.ops import AddColumnOp, DropColumnOp


class DropColumn(DropColumnOp):
    """Alembic's operation, whose reverse is the operation that adds the column as it was."""

    def __init__(self, added: AddColumnOp) -> None:
        super().__init__(added.table_name, added.column.name, schema=added.schema)
        self.added = added

    def reverse(self) -> AddColumnOp:
        """Add it again."""
        return self.added
