"""The session that revisions work in: it ends with its client, and a successor sees it work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pgmigrations.migrate.core.execution import log
from pgmigrations.run.lock import LockHeld, RunnerLock
from pgmigrations.run.session import in_autocommit, rows, try_each

# Not every platform can notice that a client is gone; a concurrent build that a limit cuts off
# leaves an INVALID index behind.
SETTINGS = {
    "client_connection_check_interval": "1s",
    "statement_timeout": "0",
    "lock_timeout": "0",
}
"""What the session has, where it is this client's own."""


@contextmanager
def working_session(connection: Connection, lock: RunnerLock) -> Iterator[str]:
    """Set a session up for revisions, and undo it in the end.

    Through a pooler nothing is left on a session, so nothing is set; there, each transaction does.

    Emits `SET client_connection_check_interval`, `statement_timeout` and `lock_timeout`, and
    `pg_try_advisory_lock()` of the key for work, which the session keeps for as long as a statement
    runs, even when its client is gone.

    Args:
        connection: In no transaction.
        lock: The lock on the database.

    Yields:
        The statement_timeout that the server has for the session, as SHOW prints it.

    Raises:
        LockHeld: A session that a killed run has left still works.
    """
    driver: Any = connection.connection.dbapi_connection
    with in_autocommit(driver):
        ((before,),) = rows(driver, "SHOW statement_timeout")
        if not lock.is_pooled:
            # Free, as the lock's connection has seen; waiting here would hold a snapshot.
            take = "SELECT pg_catalog.pg_try_advisory_lock(%s)"
            ((is_taken,),) = rows(driver, take, (lock.keys.work,))
            if not is_taken:
                raise LockHeld([], 0)
            try_each(driver, [f"SET {name} = '{value}'" for name, value in SETTINGS.items()])
    if lock.is_pooled:
        yield before
        return
    try:
        yield before
    finally:
        try:
            connection.rollback()
            driver = connection.connection.dbapi_connection
            with in_autocommit(driver):
                try_each(driver, [f"RESET {name}" for name in SETTINGS])
                rows(driver, "SELECT pg_catalog.pg_advisory_unlock(%s)", (lock.keys.work,))
        except (psycopg2.Error, SQLAlchemyError):
            log.debug("The session is gone, and with it what was set")


def second_session(connection: Connection) -> Any:
    """Connect once more as a connection is connected, for psycopg2 alone; the caller closes it."""
    raw = connection.engine.raw_connection()
    raw.detach()
    return raw.dbapi_connection
