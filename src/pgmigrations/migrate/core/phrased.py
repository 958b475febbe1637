"""What is kept of Alembic's own findings: tables and columns that come and go."""

from __future__ import annotations

from alembic.operations.ops import (
    AddColumnOp,
    DropColumnOp,
    ModifyTableOps,
    UpgradeOps,
)

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Identity


def keep_tables_and_columns(upgrade_ops: UpgradeOps, difference: Difference) -> set[Identity]:
    """Drop from Alembic's findings what the snapshots say better.

    Whatever belongs to a table that is made or dropped whole is kept; of a table that is there
    before and after, the columns that come and go.

    Args:
        upgrade_ops: What Alembic has found; changed in place.
        difference: What really differs.

    Returns:
        The identities of the columns that the kept operations add or drop, with what they own.
    """
    made: set[Identity] = set()
    for operation in list(upgrade_ops.ops):
        if not isinstance(operation, ModifyTableOps):
            continue
        schema = operation.schema or difference.scope.default_schema
        if not difference.has_table(schema, operation.table_name):
            continue
        kept = [one for one in operation.ops if isinstance(one, (AddColumnOp, DropColumnOp))]
        operation.ops[:] = kept
        for one in kept:
            name = one.column.name if isinstance(one, AddColumnOp) else one.column_name
            made.add(("column", schema, operation.table_name, name))
        if not kept:
            upgrade_ops.ops.remove(operation)
    return made | _owned(made, difference)


def _owned(columns: set[Identity], difference: Difference) -> set[Identity]:
    """Find the sequences that come and go with columns."""
    return {
        record.identity
        for state in (difference.actual, difference.declared)
        for record in state.values()
        if ("column", *getattr(record, "owner", ())) in columns
    }
