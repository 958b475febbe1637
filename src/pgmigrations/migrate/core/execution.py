"""Running SQL for an operation: against the server, or into `--sql` output."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.alembic_private import SendingImpl
from pgmigrations.migrate.core.options import OPTION

log = logging.getLogger("pgmigrations")


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Keep loggers from telling of what is only tried."""
    loggers = [(one, one.level) for one in map(logging.getLogger, names)]
    for one, _ in loggers:
        one.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for one, level in loggers:
            one.setLevel(level)


def is_offline(operations: Operations) -> bool:
    """Tell whether the run only writes SQL (`--sql`)."""
    return operations.migration_context.as_sql


def is_ours(operations: Operations) -> bool:
    """Tell whether the project uses this extension, and the operation runs as it stands.

    Within `op.batch_alter_table()` another implementation collects the operations.
    """
    context = operations.migration_context
    return OPTION in context.opts and operations.impl is context.impl


def connection_of(operations: Operations) -> Connection:
    """Return the connection of a run that has one."""
    connection = operations.migration_context.connection
    assert connection is not None
    return connection


@contextmanager
def outside_transaction(operations: Operations) -> Iterator[None]:
    """Commit what came before, unless nothing is open, and run what may not be in a transaction.

    Within an `autocommit_block()` of the revision's own, nothing is.
    """
    if is_offline(operations):
        is_outside = not getattr(operations.impl, "is_in_transaction", True)
    else:
        driver: Any = connection_of(operations).connection.dbapi_connection
        is_outside = driver.autocommit
    if is_outside:
        yield
        return
    with operations.get_context().autocommit_block():
        yield


def execute(operations: Operations, sql: str) -> None:
    """Send a statement as it stands.

    Neither `%` nor `:name` in it is a placeholder, so any name and any literal comes through.

    Args:
        operations: Alembic's operations of this run.
        sql: One statement without a semicolon at its end.
    """
    impl = operations.migration_context.impl
    if is_offline(operations):
        impl.static_output(f"{sql};")
        return
    with impl.sending() if isinstance(impl, SendingImpl) else nullcontext():
        send(connection_of(operations), sql)


def send(connection: Connection, sql: str) -> None:
    """Send a statement as it stands, outside a run of revisions."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
