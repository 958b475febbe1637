"""The session that revisions work in: it ends with its client, and a successor sees it work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pgmigrations.migrate.core.execution import log
from pgmigrations.run.lock import LockHeld, RunnerLock
from pgmigrations.run.session import rows

# Not every platform can notice that a client is gone; a concurrent build that a limit cuts off
# leaves an INVALID index behind.
_SETTINGS = {
    "client_connection_check_interval": "1s",
    "statement_timeout": "0",
    "lock_timeout": "0",
}


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
    ((before,),) = _ask(connection, "SHOW statement_timeout")
    if lock.is_pooled:
        yield before
        return
    # Free, as the lock's connection has seen; waiting here would hold a snapshot.
    take = "SELECT pg_catalog.pg_try_advisory_lock(%s)"
    ((is_taken,),) = _ask(connection, take, (lock.keys.work,))
    if not is_taken:
        raise LockHeld([], 0)
    for name, value in _SETTINGS.items():
        _try(connection, f"SET {name} = '{value}'")
    try:
        yield before
    finally:
        try:
            connection.rollback()
            for name in _SETTINGS:
                _try(connection, f"RESET {name}")
            _ask(connection, "SELECT pg_catalog.pg_advisory_unlock(%s)", (lock.keys.work,))
        except (psycopg2.Error, SQLAlchemyError):
            log.debug("The session is gone, and with it what was set")


def second_session(connection: Connection) -> Any:
    """Connect once more as a connection is connected, for psycopg2 alone; the caller closes it."""
    raw = connection.engine.raw_connection()
    raw.detach()
    return raw.dbapi_connection


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _ask(
    connection: Connection, query: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    found = rows(_driver(connection), query, parameters)
    _driver(connection).commit()
    return found


def _try(connection: Connection, statement: str) -> None:
    try:
        with _driver(connection).cursor() as cursor:
            cursor.execute(statement)
        _driver(connection).commit()
    except psycopg2.Error:
        _driver(connection).rollback()
