"""Alembic's operations on constraints, safe to run again.

PostgreSQL has no ADD CONSTRAINT IF NOT EXISTS, so `if_not_exists=True` looks into the catalog.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from alembic.autogenerate.api import AutogenContext
from alembic.operations import Operations
from alembic.operations.ops import (
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
)
from sqlalchemy import Constraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.schema import AddConstraint, DropConstraint

from pgmigrations.migrate.core.execution import (
    connection_of,
    execute,
    is_offline,
    is_ours,
    log,
)
from pgmigrations.migrate.core.quoting import DIALECT, chosen_name, do_block, literal, unless

FLAG = "if_not_exists"

CreateConstraint: TypeAlias = (
    CreateForeignKeyOp | CreateUniqueConstraintOp | CreateCheckConstraintOp
)


def if_not_exists(operation: CreateConstraint) -> None:
    """Mark the operation to look first, and name it as the server would."""
    if isinstance(operation, CreateForeignKeyOp) and operation.constraint_name is None:
        operation.constraint_name = chosen_name(
            operation.source_table, operation.local_cols, "fkey"
        )
    elif isinstance(operation, CreateUniqueConstraintOp) and operation.constraint_name is None:
        operation.constraint_name = chosen_name(operation.table_name, operation.columns, "key")
    operation.kw = {**operation.kw, FLAG: True}


def if_exists(operation: DropConstraintOp) -> None:
    """Write IF EXISTS, and the name that the server has chosen where the models have none."""
    operation.if_exists = True
    if operation.constraint_name is None:
        constraint = operation.to_constraint()
        label = {ForeignKeyConstraint: "fkey", UniqueConstraint: "key"}.get(type(constraint))
        if label is not None and isinstance(constraint, (ForeignKeyConstraint, UniqueConstraint)):
            names = [column.name for column in constraint.columns]
            operation.constraint_name = chosen_name(operation.table_name, names, label)


def guarded(
    original: Callable[[Operations, CreateConstraint], Any],
) -> Callable[[Operations, CreateConstraint], Any]:
    """Wrap Alembic's implementation: a call with `if_not_exists=True` looks first.

    A call without it does what it always did, in every project of this interpreter.
    """

    def add_constraint(operations: Operations, operation: CreateConstraint) -> Any:
        kw = dict(operation.kw)
        if not kw.pop(FLAG, False):
            return original(operations, operation)
        operation.kw = kw
        constraint = operation.to_constraint(operations.migration_context)
        condition = _is_there(constraint)
        if is_offline(operations):
            statement = str(AddConstraint(constraint).compile(dialect=DIALECT)).strip()
            execute(operations, do_block(unless(condition, f"{statement};")))
        elif (
            connection_of(operations)
            .exec_driver_sql(f"SELECT {condition}", execution_options={"no_parameters": True})
            .scalar_one()
        ):
            log.info("Nothing to do for constraint %s: it is there", constraint.name)
        else:
            operations.impl.add_constraint(constraint)
        return None

    return add_constraint


def dropped(
    original: Callable[[Operations, DropConstraintOp], Any],
) -> Callable[[Operations, DropConstraintOp], Any]:
    """Wrap Alembic's implementation: `if_exists=True` minds a table that is gone, too."""

    def drop_constraint(operations: Operations, operation: DropConstraintOp) -> Any:
        if not operation.if_exists or not is_ours(operations):
            return original(operations, operation)
        constraint = operations.schema_obj.generic_constraint(
            operation.constraint_name,
            operation.table_name,
            operation.constraint_type,
            schema=operation.schema,
        )
        statement = str(DropConstraint(constraint, if_exists=True).compile(dialect=DIALECT))
        execute(operations, statement.replace("ALTER TABLE ", "ALTER TABLE IF EXISTS ", 1))
        return None

    return drop_constraint


def rendered(
    original: Callable[[AutogenContext, CreateConstraint], Any],
) -> Callable[[AutogenContext, CreateConstraint], Any]:
    """Wrap Alembic's renderer, which knows nothing of the flag."""

    def render(context: AutogenContext, operation: CreateConstraint) -> Any:
        kw = dict(operation.kw)
        flag = kw.pop(FLAG, False)
        if not flag:
            return original(context, operation)
        plain = operation.__class__.__new__(operation.__class__)
        plain.__dict__.update(operation.__dict__, kw=kw)
        text_ = original(context, plain)
        if isinstance(text_, list):
            return [*text_[:-1], _with_flag(text_[-1])]
        return _with_flag(text_)

    return render


def _with_flag(call: str) -> str:
    return f"{call.removesuffix(')')}, {FLAG}=True)"


def _is_there(constraint: Constraint) -> str:
    """Write the condition: by name, or by what it does where the server chooses the name."""
    table = constraint.table
    place = literal(table.schema) if table.schema else "current_schema()"
    # A name that is no string says that there is none, as SQLAlchemy's own mark for it does.
    name = None
    if isinstance(constraint.name, str):
        name = DIALECT.identifier_preparer.format_constraint(constraint, _alembic_quote=False)
    if name is not None:
        match = f"k.conname = {literal(str(name))}"
    elif isinstance(constraint, (ForeignKeyConstraint, UniqueConstraint)):
        match = _same_columns(constraint)
    else:
        match = "false"
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(table.name)} AND {match})"""


def _same_columns(constraint: ForeignKeyConstraint | UniqueConstraint) -> str:
    columns = ", ".join(literal(column.name) for column in constraint.columns)
    condition = f"""ARRAY[{columns}] = ARRAY(
      SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number
      ORDER BY key.place)"""
    if isinstance(constraint, UniqueConstraint):
        return f"k.contype = 'u' AND {condition}"
    referred = constraint.elements[0].column.table
    place = literal(referred.schema) if referred.schema else "current_schema()"
    return f"""k.contype = 'f' AND {condition} AND k.confrelid = (
      SELECT r.oid FROM pg_catalog.pg_class r
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      WHERE rn.nspname = {place} AND r.relname = {literal(referred.name)})"""
