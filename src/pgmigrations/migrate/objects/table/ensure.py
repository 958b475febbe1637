"""Alembic's operations on tables and columns, safe to run again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import Operations
from alembic.operations.ops import AddColumnOp, CreateTableOp, DropColumnOp, DropTableOp
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint

from pgmigrations.migrate.core.alembic_private import copy_of
from pgmigrations.migrate.core.execution import (
    connection_of,
    execute,
    is_offline,
    is_ours,
    log,
)
from pgmigrations.migrate.core.options import OPTION
from pgmigrations.migrate.core.quoting import (
    DIALECT,
    chosen_name,
    do_block,
    escape_parameters,
    literal,
    unless,
)
from pgmigrations.migrate.core.render import render_call


def if_not_exists(operation: CreateTableOp | AddColumnOp) -> None:
    """Write IF NOT EXISTS."""
    operation.if_not_exists = True


def created(operation: CreateTableOp) -> None:
    """Write IF NOT EXISTS, and the columns' own checks as the table's, which Alembic renders."""
    if_not_exists(operation)
    columns = [one for one in operation.columns if isinstance(one, Column)]
    operation.columns = [
        *operation.columns,
        *(_of_table(check) for column in columns for check in _checks(column)),
    ]


def _checks(column: Column[Any]) -> list[CheckConstraint]:
    """Return a column's own checks; those of a type come along with the type."""
    found = [one for one in column.constraints if isinstance(one, CheckConstraint)]
    return sorted(
        (one for one in found if not one._type_bound),
        key=lambda one: (str(one.name), str(one.sqltext)),
    )


def _of_table(check: CheckConstraint) -> CheckConstraint:
    # Attached by itself, it would change the models.
    return CheckConstraint(check.sqltext, name=check.name, _autoattach=False)


def rendered(
    original: Callable[[AutogenContext, AddColumnOp], Any],
) -> Callable[[AutogenContext, AddColumnOp], Any]:
    """Wrap Alembic's renderer, which loses the checks of an added column."""

    def render(context: AutogenContext, operation: AddColumnOp) -> Any:
        written = original(context, operation)
        if OPTION not in context.opts:
            return written
        prefix = context.opts["alembic_module_prefix"] or ""
        return [written, *(_check_call(prefix, operation, c) for c in _checks(operation.column))]

    return render


def _check_call(prefix: str, operation: AddColumnOp, check: CheckConstraint) -> str:
    options = {"literal_binds": True, "include_table": False}
    sql = str(check.sqltext.compile(dialect=DIALECT, compile_kwargs=options))
    name = check.name if isinstance(check.name, str) else None
    if name is None:
        name = chosen_name(operation.table_name, [operation.column.name], "check")
    schema = {"schema": operation.schema} if operation.schema else {}
    return render_call(
        f"{prefix}create_check_constraint",
        [str(name), operation.table_name, escape_parameters(sql)],
        {**schema, "if_not_exists": True},
    )


def if_exists(operation: DropTableOp | DropColumnOp) -> None:
    """Write IF EXISTS."""
    operation.if_exists = True


def added(
    original: Callable[[Operations, AddColumnOp], Any],
) -> Callable[[Operations, AddColumnOp], Any]:
    """Wrap Alembic's implementation: `if_not_exists=True` minds the column's constraints, too.

    Alembic adds those that a type or a foreign key brings along by a statement of their own, which
    PostgreSQL has no IF NOT EXISTS for.
    """

    def add_column(operations: Operations, operation: AddColumnOp) -> Any:
        if not operation.if_not_exists or not is_ours(operations):
            return original(operations, operation)
        condition = _is_there(operation)
        if not is_offline(operations):
            look = f"SELECT {condition}"
            options = {"no_parameters": True}
            connection = connection_of(operations)
            if not connection.exec_driver_sql(look, execution_options=options).scalar_one():
                return original(operations, operation)
            log.info("Nothing to do for column %s: it is there", operation.column.name)
        elif _has_constraints(operations, operation):
            statements = _written(operations, lambda: original(operations, operation))
            execute(operations, do_block(unless(condition, statements)))
        else:
            return original(operations, operation)
        return None

    return add_column


def _is_there(operation: AddColumnOp) -> str:
    place = literal(operation.schema) if operation.schema else "current_schema()"
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(operation.table_name)}
      AND a.attname = {literal(operation.column.name)} AND NOT a.attisdropped)"""


def _has_constraints(operations: Operations, operation: AddColumnOp) -> bool:
    column = copy_of(operation.column)
    table = operations.schema_obj.table(operation.table_name, column, schema=operation.schema)
    return any(
        not isinstance(constraint, PrimaryKeyConstraint)
        and (constraint._create_rule is None or constraint._create_rule(operations.impl))
        for constraint in table.constraints
    )


def _written(operations: Operations, work: Callable[[], object]) -> str:
    """Return the SQL that an operation writes in `--sql` mode, instead of writing it."""
    impl = operations.migration_context.impl
    outer, impl.output_buffer = impl.output_buffer, io.StringIO()
    try:
        work()
        return impl.output_buffer.getvalue().strip()
    finally:
        impl.output_buffer = outer
