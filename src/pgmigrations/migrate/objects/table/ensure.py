"""Alembic's operations on tables and columns, safe to run again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import Operations
from alembic.operations.ops import AddColumnOp, CreateTableOp, DropColumnOp, DropTableOp
from sqlalchemy import PrimaryKeyConstraint

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
    do_block,
    is_other_relation,
    literal,
    unless,
)
from pgmigrations.migrate.core.render import render_call
from pgmigrations.migrate.objects.table.identity import add_apart, is_refused


def if_not_exists(operation: CreateTableOp | AddColumnOp) -> None:
    """Write IF NOT EXISTS."""
    operation.if_not_exists = True


def rendered(
    original: Callable[[AutogenContext, CreateTableOp], Any],
) -> Callable[[AutogenContext, CreateTableOp], Any]:
    """Wrap Alembic's renderer, which makes no Python of a table without columns."""

    def render(context: AutogenContext, operation: CreateTableOp) -> Any:
        if OPTION not in context.opts or operation.columns:
            return original(context, operation)
        prefix = context.opts["alembic_module_prefix"] or ""
        words = {"schema": operation.schema, "comment": operation.comment, **operation.kw}
        words |= {"prefixes": operation.prefixes, "if_not_exists": operation.if_not_exists}
        said = {key: value for key, value in words.items() if value}
        return render_call(f"{prefix}create_table", [operation.table_name], said)

    return render


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
        if is_offline(operations):
            return _write(original, operations, operation)
        if _holds(operations, _is_there(operation)):
            log.info("Nothing to do for column %s: it is there", operation.column.name)
            return None
        if operation.column.identity is not None and _holds(operations, is_refused(operation)):
            return add_apart(original, operations, operation)
        return original(operations, operation)

    return add_column


def dropped(
    original: Callable[[Operations, DropTableOp], Any],
) -> Callable[[Operations, DropTableOp], Any]:
    """Wrap Alembic's implementation: `if_exists=True` leaves alone what has the name since."""

    def drop_table(operations: Operations, operation: DropTableOp) -> Any:
        is_looked_for = operation.if_exists and is_ours(operations) and not is_offline(operations)
        if is_looked_for and _holds(
            operations, is_other_relation(operation.schema, operation.table_name, "rpf")
        ):
            log.info("Nothing to do for table %s: it is no table", operation.table_name)
            return None
        return original(operations, operation)

    return drop_table


def _holds(operations: Operations, condition: str) -> bool:
    options = {"no_parameters": True}
    connection = connection_of(operations)
    found = connection.exec_driver_sql(f"SELECT {condition}", execution_options=options)
    return bool(found.scalar_one())


def _write(
    original: Callable[[Operations, AddColumnOp], Any],
    operations: Operations,
    operation: AddColumnOp,
) -> None:
    """Write a block that looks, where the statement's own IF NOT EXISTS does not say it all."""
    is_identity = operation.column.identity is not None
    if not is_identity and not _has_constraints(operations, operation):
        original(operations, operation)
        return
    statements = _written(operations, lambda: original(operations, operation))
    if is_identity:
        apart = _written(operations, lambda: add_apart(original, operations, operation))
        statements = (
            f"IF {is_refused(operation)} THEN\n{apart}\n    ELSE\n    {statements}\n    END IF;"
        )
    execute(operations, do_block(unless(_is_there(operation), statements)))


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
