"""Running revisions in a transaction that belongs to the project's env.py."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection, inspect, text

from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.lock import LockHeld, LockKeys, lock_holders
from pgmigrations.run.step import entries

_PLACE = "SELECT current_database()::text, coalesce(current_schema()::text, 'public')"


def within_transaction(
    context: MigrationContext, steps: Sequence[MigrationStep]
) -> Sequence[MigrationStep]:
    """Let Alembic run the steps in the caller's transaction, with rows in the ledger.

    Nothing can be committed or tried again here, so the lock is taken for as long as the
    transaction lasts, at once or not at all: `pg_try_advisory_xact_lock()`.

    Args:
        context: The connected context.
        steps: What is run; changed in place.

    Raises:
        LockHeld: Another run works on the database.
    """
    connection = context.connection
    assert connection is not None
    table = version_table_of(context)
    database, default_schema = connection.execute(text(_PLACE)).one()
    schema = table.schema or default_schema
    keys = LockKeys.of(database, schema, table.name)
    dbapi: Any = connection.connection.dbapi_connection
    for key in (keys.runner, keys.work):
        taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key})
        if not taken.scalar_one():
            raise LockHeld(lock_holders(dbapi, key), 0)
    ledger = LedgerTable(schema, table.name)
    for step in steps:
        step.migration_fn = _recorded(step.migration_fn, context, connection, step, ledger)
    return steps


def _recorded(
    run: Callable[..., None],
    context: MigrationContext,
    connection: Connection,
    step: MigrationStep,
    ledger: LedgerTable,
) -> Callable[..., None]:
    dbapi: Any = connection.connection.dbapi_connection

    @functools.wraps(run)
    def run_recorded(**kw: Any) -> None:
        start = time.monotonic()
        table = version_table_of(context)
        if not inspect(connection).has_table(table.name, schema=table.schema):
            table.create(connection)
        connection.exec_driver_sql(ledger.creation)
        run(**kw)
        for entry in entries(step, time.monotonic() - start):
            ledger.add(dbapi, entry)

    return run_recorded
