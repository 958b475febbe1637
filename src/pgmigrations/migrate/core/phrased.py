"""What is kept of Alembic's own findings: tables and columns that come and go."""

from __future__ import annotations

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    AddColumnOp,
    DropColumnOp,
    DropTableOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from sqlalchemy import Column, MetaData, Table

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.reflection import ServerType
from pgmigrations.migrate.core.snapshot import Identity, Record


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
        if not isinstance(operation, (ModifyTableOps, DropTableOp)):
            continue
        schema = operation.schema or difference.scope.default_schema
        identity = ("table", schema, operation.table_name)
        if identity not in difference.actual and identity not in difference.declared:
            # Alembic takes partitions and extensions' tables for tables of their own.
            upgrade_ops.ops.remove(operation)
            continue
        if isinstance(operation, DropTableOp):
            continue
        if not difference.has_table(schema, operation.table_name):
            continue
        kept: list[MigrateOperation] = []
        for one in operation.ops:
            if isinstance(one, (AddColumnOp, DropColumnOp)):
                name = one.column.name if isinstance(one, AddColumnOp) else one.column_name
                column = ("column", schema, operation.table_name, name)
                # A column that a filter of names hides from reflection looks like a new one.
                if (column in difference.actual) is not (column in difference.declared):
                    kept.append(one)
                    made.add(column)
        operation.ops[:] = kept
        if not kept:
            upgrade_ops.ops.remove(operation)
    return made | _owned(made, difference)


def is_refused(record: Record, difference: Difference, context: AutogenContext) -> bool:
    """Ask the project's `include_object` about a column that differs, and about the table of it.

    Alembic would not have compared what that refuses.

    Args:
        record: The object that differs.
        difference: What else differs.
        context: Alembic's context of this comparison.
    """
    place = (record.schema, record.name) if record.kind == "table" else record.relation
    if place is None:
        return False
    schema, name = place
    table = difference.table(schema, name)
    if table is None:
        return False
    if not context.run_object_filters(table, table.name, "table", False, None):
        return True
    if record.kind != "column":
        return False
    found = [column for column in table.columns if column.name == record.name]
    if found:
        return not context.run_object_filters(found[0], record.name, "column", False, None)
    shown = difference.scope.shown_schema(schema)
    type_ = ServerType(getattr(record, "type", ""))
    column = Table(name, MetaData(), Column(record.name, type_), schema=shown).columns[record.name]
    return not context.run_object_filters(column, record.name, "column", True, None)


def _owned(columns: set[Identity], difference: Difference) -> set[Identity]:
    """Find the sequences that come and go with columns."""
    return {
        record.identity
        for state in (difference.actual, difference.declared)
        for record in state.values()
        if ("column", *getattr(record, "owner", ())) in columns
    }
