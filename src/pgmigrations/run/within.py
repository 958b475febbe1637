"""Running revisions in a transaction that belongs to the project's env.py."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from pgmigrations.migrate.core.alembic_private import Step, version_table_of
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.lock import LockHeld, lock_holders
from pgmigrations.run.outcome import OUTCOME, Done
from pgmigrations.run.place import place_of
from pgmigrations.run.step import entries, revision_of
from pgmigrations.run.version_rows import changes_of


def within_transaction(
    context: MigrationContext,
    steps: Sequence[Step],
    heads: Collection[str],
    recognised: Collection[str],
) -> Sequence[Step]:
    """Let Alembic run the steps in the caller's transaction, with rows in the ledger.

    Nothing can be committed or tried again here, so the lock is taken for as long as the
    transaction lasts, at once or not at all: `pg_try_advisory_xact_lock()`.

    Args:
        context: The connected context.
        steps: What is run; changed in place.
        heads: The version rows that they start from.
        recognised: Revisions whose work is there already: they are only recorded.

    Raises:
        LockHeld: Another run works on the database.
    """
    connection = context.connection
    assert connection is not None
    place = place_of(context)
    dbapi: Any = connection.connection.dbapi_connection
    for key in (place.keys.runner, place.keys.work):
        taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key})
        if not taken.scalar_one():
            raise LockHeld(lock_holders(dbapi, key), 0)
    at = set(heads)
    for step in steps:
        is_run = revision_of(step) not in recognised
        at, _ = changes_of(context, step, at)
        step.migration_fn = _recorded(context, connection, step, place.ledger, at, is_run=is_run)
    return steps


def _recorded(
    context: MigrationContext,
    connection: Connection,
    step: Step,
    ledger: LedgerTable,
    after: Collection[str],
    *,
    is_run: bool,
) -> Callable[..., None]:
    run = step.migration_fn
    dbapi: Any = connection.connection.dbapi_connection

    @functools.wraps(run)
    def run_recorded(**kw: Any) -> None:
        start = time.monotonic()
        table = version_table_of(context)
        if not inspect(connection).has_table(table.name, schema=table.schema):
            table.create(connection)
        with dbapi.cursor() as cursor:
            cursor.execute(ledger.creation)
        run(**kw)
        outcome = context.config.attributes.get(OUTCOME) if context.config else None
        for entry in entries(step, time.monotonic() - start, is_run=is_run):
            ledger.add(dbapi, entry)
            if outcome is not None:
                outcome.done.append(Done(entry.revision, str(entry.status), entry.duration or 0.0))
        if outcome is not None:
            outcome.after = after

    return run_recorded
