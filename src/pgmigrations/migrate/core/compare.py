"""The comparison of a database with the models: what differs, and which operations say so."""

from __future__ import annotations

import dataclasses
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
from pgmigrations.migrate.core.difference import find_differences
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.name_length import refuse_long_names
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.options import OPTION, metadatas_of, scope_of, settings_of
from pgmigrations.migrate.core.phrased import is_refused, keep_tables_and_columns
from pgmigrations.migrate.core.snapshot import Change, Record, Scope


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
        record = _record(change)
        place = f" of {'.'.join(record.relation)}" if record.relation else ""
        super().__init__(
            f"{record.kind} {record.name}{place} differs, and no operation expresses how: "
            f"{described(change)}",
            "Write the change by hand in a revision, then run this again",
        )
        self.change = change


def compare_kinds(
    kinds: Sequence[AnyKind], context: AutogenContext, upgrade_ops: UpgradeOps
) -> PriorityDispatchResult:
    """Make the operations say exactly what differs, in a project that asked for it.

    Alembic has looked before: what it found of whole tables and columns is kept, since it phrases
    them well; all else comes from the difference of the snapshots.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        context: Alembic's context of this comparison.
        upgrade_ops: What Alembic has found; changed in place.

    Raises:
        UnphrasedDifference: Something differs and no kind has an operation for it.
    """
    if OPTION in context.opts:
        freed = Freed(upgrade_ops)
        refuse_long_names(metadatas_of(context.migration_context))
        target, settings = context.connection, settings_of(context.migration_context)
        assert target is not None
        assert settings is not None
        scope = scope_of(context.migration_context)
        difference, changes = find_differences(
            kinds,
            target,
            metadatas_of(context.migration_context),
            scope,
            settings,
            lambda record: _is_ours(record, context, scope, freed),
        )
        made = keep_tables_and_columns(upgrade_ops, difference)
        by_kind = {kind.name: kind for kind in kinds}
        for change in changes:
            record = _record(change)
            if (
                record.identity not in made
                and not _comes_with_its_table(record, difference)
                and not is_refused(record, difference, context)
            ):
                upgrade_ops.ops.extend(_phrased(by_kind[record.kind], change, difference))
    return PriorityDispatchResult.CONTINUE


def described(change: Change[Any]) -> str:
    """Say in words what differs, property by property."""
    before, after = change.before, change.after
    if before is None:
        return f"the models declare it, the database lacks it ({after})"
    if after is None:
        return f"the database has it, the models do not declare it ({before})"
    return "; ".join(
        f"{name}: the models declare {getattr(after, name)!r}, "
        f"the database has {getattr(before, name)!r}"
        for name in changed_properties(change)
    )


def changed_properties(change: Change[Any]) -> list[str]:
    """Name the properties in which the two states of an object differ."""
    assert change.before is not None
    return [
        field.name
        for field in dataclasses.fields(change.before)
        if field.compare and getattr(change.before, field.name) != getattr(change.after, field.name)
    ]


def _record(change: Change[Any]) -> Record:
    record = change.after or change.before
    assert isinstance(record, Record)
    return record


def _comes_with_its_table(record: Record, difference: Difference) -> bool:
    """Tell whether the table of it is made or dropped whole, or left to its own filter."""
    if record.kind == "table":
        return not difference.has_table(record.schema, record.name)
    return record.relation is not None and not difference.has_table(*record.relation)


def _phrased(
    kind: AnyKind, change: Change[Any], difference: Difference
) -> Sequence[MigrateOperation]:
    phrased = kind.comparison.phrase(change, difference) if kind.comparison is not None else []
    if not phrased:
        raise UnphrasedDifference(change)
    for operation in phrased:
        if isinstance(operation, Operation):
            log.info("Detected %s: %s", operation.operation_name, operation.subject)
    return phrased


def _is_ours(record: Record, context: AutogenContext, scope: Scope, freed: Freed) -> bool:
    """Tell whether an undeclared object may be dropped.

    The project's `include_name` is asked about it, and nothing that needs it may stay.
    """

    def included(name: str, type_: str, schema: str, table: str | None = None) -> bool:
        parents: Any = {"schema_name": scope.shown_schema(schema)}
        if table is not None:
            parents["table_name"] = table
        return context.run_name_filters(name, cast(Any, type_), parents)

    relation = record.relation
    if relation is not None and not included(relation[1], "table", relation[0]):
        return False
    table = relation[1] if relation is not None else None
    return (
        record.is_ours
        and included(record.name, record.filter_type, record.schema, table)
        and all(freed.holds(place, scope) for place in record.used_by)
    )
