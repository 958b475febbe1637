"""One runner at a time: an advisory lock on a connection of its own.

The lock is polled. A runner that waited inside `pg_advisory_lock()` would hold a snapshot, for
which the other's CREATE INDEX CONCURRENTLY waits: a deadlock. It dies with its connection, so
that a killed runner locks nobody out.
"""

from __future__ import annotations

import hashlib
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2

from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.pooler import is_pooled
from pgmigrations.run.session import Session, rows, sessions

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

log = logging.getLogger("pgmigrations")

_SHORTEST_WAIT = 0.05
_LONGEST_WAIT = 1.0
_SAY_AGAIN_AFTER = 30.0


class LockHeld(PgMigrationsError):
    """Another runner works on the database, and did not end in time."""

    def __init__(self, holders: list[Session], waited: float) -> None:
        who = " and ".join(map(str, holders)) or "a session that has ended just now"
        after = f" after {waited:.0f} s" if waited >= 1 else ""
        super().__init__(
            f"Another run works on this database{after}: {who}",
            "Run this again when it is done, raise lock_wait, or end it: pgmigrations unlock",
        )
        self.holders = holders


class LockLost(PgMigrationsError):
    """The connection that held the lock is gone, so another runner may be at work."""

    def __init__(self) -> None:
        super().__init__(
            "The connection that held the lock was lost: nothing more is run",
            "Run the command again; finished revisions are kept",
        )


@dataclass(frozen=True)
class LockKeys:
    """The two advisory locks of one version table.

    Attributes:
        runner: Held for the whole run, on the lock's own connection.
        work: Held by each transaction and each statement that changes something, so that the
            statement which a killed runner has left running is waited for.
    """

    runner: int
    work: int

    @classmethod
    def of(cls, database: str, schema: str, table: str) -> LockKeys:
        """Make the keys of a version table, the same on every client.

        Args:
            database: The database's name.
            schema: The version table's schema.
            table: The version table.
        """
        name = "\0".join(("pgmigrations", database, schema, table))
        return cls(_key(name), _key(f"{name}\0work"))


PLACE = """
SELECT current_database()::text, coalesce(
  nullif(%s, ''),
  (SELECT n.nspname::text FROM pg_catalog.pg_class c
   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = to_regclass(format('%%I', %s::text))),
  current_schema()::text,
  'public'
)"""
"""The database and the schema of a version table, for `LockKeys.of()`.

Its parameters are the schema that the project names, else nothing, and the table. Where none is
named, the table is looked for as its rows are read, by the search path: a schema may have come
into it before the table's own.
"""


def _key(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@dataclass(frozen=True)
class RunnerLock:
    """The lock while it is held.

    Attributes:
        connection: Its connection, free for questions between the steps.
        keys: What is locked.
        token: The key of another lock that the connection holds, and nobody else ever does: whoever
            can have it knows that the connection is gone. To look for the first into `pg_locks`
            takes the server as long as to create a small table.
        is_pooled: Whether there is a pooler in between.
    """

    connection: driver.connection
    keys: LockKeys
    token: int
    is_pooled: bool


@contextmanager
def runner_lock(
    connection: driver.connection, keys: LockKeys, *, wait: float
) -> Iterator[RunnerLock]:
    """Hold the lock of a version table; wait for whoever has it.

    Emits `pg_try_advisory_lock()` on a direct connection, in autocommit. Through a pooler a
    session's lock would guard nothing: there it is `pg_try_advisory_xact_lock()`, polled in fresh
    transactions and held in one that stays open (READ COMMITTED, so no snapshot is held and no
    CREATE INDEX CONCURRENTLY waits for it).

    Args:
        connection: A connection of psycopg2's for this alone; it is closed in the end.
        keys: From `LockKeys.of()`.
        wait: Seconds to wait for another runner at most; 0 fails at once.

    Raises:
        LockHeld: Another runner has it still.
    """
    try:
        connection.rollback()
        connection.set_session(isolation_level="READ COMMITTED", autocommit=True)
        pooled = is_pooled(connection)
        if not pooled:
            # It says nothing while a revision runs, however long.
            with connection.cursor() as cursor:
                cursor.execute("SET idle_session_timeout = 0")
        take = _take_in_transaction if pooled else _take_in_session
        _wait_until(lambda: take(connection, keys.runner), connection, keys.runner, wait, "run")
        _wait_until(lambda: _is_free(connection, keys.work), connection, keys.work, wait, "work")
        token = secrets.randbits(63)
        function = "pg_try_advisory_xact_lock" if pooled else "pg_try_advisory_lock"
        rows(connection, f"SELECT pg_catalog.{function}(%s)", (token,))
        yield RunnerLock(connection, keys, token, pooled)
    finally:
        # With it goes the lock. A pooler keeps the server's connection, so the transaction ends.
        with suppress(psycopg2.Error):
            connection.rollback()
        connection.close()


def lock_holders(connection: driver.connection, key: int) -> list[Session]:
    """Return the sessions that hold an advisory lock of the connected database.

    Args:
        connection: A connection of psycopg2's.
        key: The lock's key.
    """
    pids = [pid for (pid,) in rows(connection, _HOLDERS, halves(key))]
    return sessions(connection, pids)


def halves(key: int) -> tuple[int, int]:
    """Return a key as `pg_locks` shows it: `classid` and `objid`."""
    unsigned = key % 2**64
    return unsigned >> 32, unsigned % 2**32


_HOLDERS = """
SELECT pid FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND classid::bigint = %s AND objid::bigint = %s AND pid <> pg_catalog.pg_backend_pid()
"""


def _take_in_session(connection: driver.connection, key: int) -> bool:
    ((is_taken,),) = rows(connection, "SELECT pg_catalog.pg_try_advisory_lock(%s)", (key,))
    return bool(is_taken)


def _take_in_transaction(connection: driver.connection, key: int) -> bool:
    connection.autocommit = False
    query = (
        "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true), "
        "pg_catalog.pg_try_advisory_xact_lock(%s)"
    )
    ((_, is_taken),) = rows(connection, query, (key,))
    if not is_taken:
        # No snapshot and no server connection is kept while it waits.
        connection.rollback()
        connection.autocommit = True
    return bool(is_taken)


def _is_free(connection: driver.connection, key: int) -> bool:
    return not rows(connection, _HOLDERS, halves(key))


def _wait_until(
    is_done: Callable[[], bool],
    connection: driver.connection,
    key: int,
    limit: float,
    what: str,
) -> None:
    start = time.monotonic()
    said_at = float("-inf")
    pause = _SHORTEST_WAIT
    while not is_done():
        waited = time.monotonic() - start
        if waited >= limit:
            raise LockHeld(lock_holders(connection, key), waited)
        if waited - said_at >= _SAY_AGAIN_AFTER:
            said_at = waited
            for holder in lock_holders(connection, key):
                log.info("Waiting for another %s on this database: %s", what, holder)
        time.sleep(min(pause * random.uniform(0.5, 1), max(limit - waited, 0)))
        pause = min(pause * 1.5, _LONGEST_WAIT)
