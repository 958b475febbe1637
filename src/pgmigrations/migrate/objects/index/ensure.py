"""Alembic's operations on indexes, safe to run again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import CreateIndexOp, DropIndexOp
from sqlalchemy import text

from pgmigrations.migrate.core.execution import (
    connection_of,
    execute,
    is_offline,
    is_ours,
    log,
    outside_transaction,
)
from pgmigrations.migrate.core.operation import DifferentObject
from pgmigrations.migrate.core.quoting import (
    do_block,
    escape_parameters,
    is_other_relation,
    literal,
    qualified,
    unless,
)
from pgmigrations.migrate.objects.index.compiled import name as index_name
from pgmigrations.migrate.objects.index.compiled import sql
from pgmigrations.migrate.objects.index.look import find, is_built, lookup, printed, shown


def if_not_exists(operation: CreateIndexOp) -> None:
    """Write IF NOT EXISTS, and the predicate so that no parameter is seen in it."""
    operation.if_not_exists = True
    where = operation.kw.get("postgresql_where")
    # Reflection hands over the server's text as a string, which is read like text().
    if isinstance(where, str) and text(where)._bindparams:
        operation.kw = {**operation.kw, "postgresql_where": text(escape_parameters(where))}


def if_exists(operation: DropIndexOp) -> None:
    """Write IF EXISTS."""
    operation.if_exists = True


def created(
    original: Callable[[Operations, CreateIndexOp], Any],
) -> Callable[[Operations, CreateIndexOp], Any]:
    """Wrap Alembic's implementation: `if_not_exists=True` minds what the index is, too.

    One that a killed build left behind is made anew; another one is an error.
    """

    def make(operations: Operations, operation: CreateIndexOp) -> Any:
        with _place(operations, operation):
            return original(operations, operation)

    def create_index(operations: Operations, operation: CreateIndexOp) -> Any:
        if not is_ours(operations):
            return original(operations, operation)
        if not operation.if_not_exists:
            return make(operations, operation)
        name = index_name(operation.to_index(operations.migration_context))
        if is_offline(operations):
            if name is not None and _is_online(operation):
                with _place(operations, operation):
                    execute(operations, do_block(_refusing_invalid(operation, name)))
            return make(operations, operation)
        connection = connection_of(operations)
        found = find(connection, operation.schema, name) if name else None
        if found is None:
            return make(operations, operation)
        subject = shown(operation.schema, str(name))
        if not found.is_valid:
            with _place(operations, operation):
                if _is_online(operation) and is_built(connection, operation.schema, str(name)):
                    log.info("%s was being built by another session", subject)
                else:
                    log.info("Making %s anew: it is INVALID", subject)
                    drop = "DROP INDEX CONCURRENTLY" if _is_online(operation) else "DROP INDEX"
                    execute(operations, f"{drop} {qualified(operation.schema, str(name))}")
                    return original(operations, operation)
            return create_index(operations, operation)
        statement = _statement(operations, operation)
        there = (operation.schema, found.table)
        wanted = printed(connection, *there, statement)
        if found.table != operation.table_name or wanted != printed(
            connection, *there, found.probe
        ):
            raise DifferentObject(subject, wanted or statement, found.definition)
        log.info("Nothing to do for %s: it is there", subject)
        return None

    return create_index


def dropped(
    original: Callable[[Operations, DropIndexOp], Any],
) -> Callable[[Operations, DropIndexOp], Any]:
    """Wrap Alembic's implementation: `if_exists=True` leaves alone what has the name since.

    That is a constraint, or no index at all.
    """

    def drop_index(operations: Operations, operation: DropIndexOp) -> Any:
        if not is_ours(operations):
            return original(operations, operation)
        if _is_online(operation):
            with _place(operations, operation):
                return original(operations, operation)
        name = index_name(operation.to_index(operations.migration_context))
        if name is None or not operation.if_exists:
            return original(operations, operation)
        has_passed = (
            lookup(operation.schema, name, _BELONGS_TO_A_CONSTRAINT),
            is_other_relation(operation.schema, name, "iI"),
        )
        condition = f"({' OR '.join(has_passed)})"
        if is_offline(operations):
            statement = f"DROP INDEX IF EXISTS {qualified(operation.schema, name)};"
            return execute(operations, do_block(unless(condition, statement)))
        look = f"SELECT {condition}"
        options = {"no_parameters": True}
        connection = connection_of(operations)
        if connection.exec_driver_sql(look, execution_options=options).scalar_one():
            log.info("Nothing to do for %s: the name has passed", shown(operation.schema, name))
            return None
        return original(operations, operation)

    return drop_index


def _is_online(operation: CreateIndexOp | DropIndexOp) -> bool:
    return bool(operation.kw.get("postgresql_concurrently"))


def _place(
    operations: Operations, operation: CreateIndexOp | DropIndexOp
) -> AbstractContextManager[None]:
    """What is said to run CONCURRENTLY may not be in a transaction."""
    return outside_transaction(operations) if _is_online(operation) else nullcontext()


def _refusing_invalid(operation: CreateIndexOp, name: str) -> str:
    """Write the body of a block that refuses what a build that failed has left behind.

    A block is a transaction, in which none can be dropped CONCURRENTLY.
    """
    invalid = lookup(operation.schema, name, "NOT (i.indisvalid AND i.indisready)")
    drop = f"DROP INDEX CONCURRENTLY {qualified(operation.schema, name)}"
    return f"""BEGIN
  IF {invalid} THEN
    RAISE EXCEPTION '% is INVALID: a build of it has failed',
      {literal(shown(operation.schema, name))}
      USING HINT = {literal(f"Run {drop}, then this script again from here")};
  END IF;
END"""


_BELONGS_TO_A_CONSTRAINT = """EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    WHERE k.conindid = o.oid AND k.contype IN ('p', 'u', 'x'))"""


def _statement(operations: Operations, operation: CreateIndexOp) -> str:
    """Write the statement that makes the index on a copy of its table."""
    copy = CreateIndexOp(
        "pgm_probe",
        "pgm_copy",
        operation.columns,
        schema="pg_temp",
        unique=operation.unique,
        **{key: value for key, value in operation.kw.items() if key not in _NOT_COPIED},
    )
    return sql(copy.to_index(operations.migration_context))


_NOT_COPIED = ("postgresql_concurrently", "postgresql_tablespace")
