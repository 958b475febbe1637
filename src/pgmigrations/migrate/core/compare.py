"""The comparator of the kinds: the difference of two snapshots, phrased as operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    AlterColumnOp,
    DropColumnOp,
    DropTableOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from alembic.util import PriorityDispatchResult

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.name_length import refuse_long_names
from pgmigrations.migrate.core.options import OPTION, metadatas_of, scope_of
from pgmigrations.migrate.core.snapshot import Change, Record, Scope, differences, snapshot


class Freed:
    """The tables and columns that Alembic's own comparison drops or gives another type.

    What they use is free afterwards. A table that the project's `include_object` keeps is none.
    """

    def __init__(self, upgrade_ops: UpgradeOps) -> None:
        self._tables: set[tuple[str | None, str]] = set()
        self._columns: set[tuple[str | None, str, str]] = set()
        for operation in upgrade_ops.ops:
            self._add(operation)

    def _add(self, operation: MigrateOperation) -> None:
        if isinstance(operation, ModifyTableOps):
            for inner in operation.ops:
                self._add(inner)
        elif isinstance(operation, DropTableOp):
            self._tables.add((operation.schema, operation.table_name))
        elif isinstance(operation, DropColumnOp) or (
            isinstance(operation, AlterColumnOp) and operation.modify_type is not None
        ):
            self._columns.add((operation.schema, operation.table_name, operation.column_name))

    def holds(self, place: tuple[str, str, str], scope: Scope) -> bool:
        """Tell it of one place of `Record.used_by`."""
        schema, table, column = scope.shown_schema(place[0]), place[1], place[2]
        if (schema, table) in self._tables or (schema, table, column) in self._columns:
            return True
        # An index or a check goes with the column that it is on.
        return not column and any(one[:2] == (schema, table) for one in self._columns)


class UnphrasedDifference(PgMigrationsError):
    """A difference that no operation expresses."""

    def __init__(self, change: Change[Any]) -> None:
        record: Record = change.after or change.before  # type: ignore[assignment]
        super().__init__(
            f"{record.kind} {record.name} differs, and no operation expresses how: "
            f"the database has {change.before}, the models declare {change.after}",
            "Write the change by hand, then run this again",
        )
        self.change = change


def compare_kinds(
    kinds: Sequence[AnyKind], context: AutogenContext, upgrade_ops: UpgradeOps
) -> PriorityDispatchResult:
    """Add what the kinds' own comparisons find, in a project that asked for it.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        context: Alembic's context of this comparison.
        upgrade_ops: Where the operations go.

    Raises:
        UnphrasedDifference: A kind sees a difference and has no operation for it.
    """
    if OPTION in context.opts:
        freed = Freed(upgrade_ops)
        refuse_long_names(metadatas_of(context.migration_context))
        scope = scope_of(context.migration_context)
        for kind in kinds:
            upgrade_ops.ops.extend(_compare_kind(kind, context, scope, freed))
    return PriorityDispatchResult.CONTINUE


def _compare_kind(kind: AnyKind, context: AutogenContext, scope: Scope, freed: Freed) -> list[Any]:
    if kind.comparison is None:
        return []
    assert context.connection is not None
    metadatas = metadatas_of(context.migration_context)
    actual = snapshot(kind.read(context.connection, scope))
    declared = snapshot(kind.comparison.declared(metadatas, scope, actual))
    ours = {
        identity: record
        for identity, record in actual.items()
        if identity in declared or _is_ours(record, context, scope, freed)
    }
    operations: list[Any] = []
    for change in differences(ours, declared):
        phrased = kind.comparison.phrase(change, scope)
        if not phrased:
            raise UnphrasedDifference(change)
        operations.extend(phrased)
        for operation in phrased:
            log.info("Detected %s: %s", operation.operation_name, operation.subject)
    return operations


def _is_ours(record: Record, context: AutogenContext, scope: Scope, freed: Freed) -> bool:
    """Tell whether an undeclared object may be dropped.

    The project's `include_name` is asked about it, and nothing that needs it may stay.
    """
    parents: Any = {"schema_name": scope.shown_schema(record.schema)}
    return (
        record.is_ours
        and context.run_name_filters(record.name, cast(Any, record.kind), parents)
        and all(freed.holds(place, scope) for place in record.used_by)
    )
