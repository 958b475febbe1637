"""Who holds the lock that a statement waits for."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmigrations.run.session import rows, sessions

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

log = logging.getLogger("pgmigrations")

_LOOK_AFTER = 0.02
_LOOK_AGAIN_AFTER = 0.015
_POLL = 0.1
_SAY_AGAIN_AFTER = 30.0


@dataclass(frozen=True)
class Blocker:
    """One session that is in the way.

    Attributes:
        pid: The server's process; 0 for a prepared transaction.
        transaction: Its virtual transaction, by which its end is seen; empty where it has none.
        relation: What is locked, as SQL names it; empty where it is no table or index.
        is_maintenance: Whether it holds SHARE UPDATE EXCLUSIVE there, as a vacuum does.
    """

    pid: int
    transaction: str
    relation: str
    is_maintenance: bool


_BLOCKERS = """
SELECT b.pid,
       coalesce((SELECT v.virtualtransaction FROM pg_catalog.pg_locks v
                 WHERE v.pid = b.pid AND v.locktype = 'virtualxid' AND v.granted LIMIT 1), ''),
       coalesce(CASE WHEN w.locktype = 'relation' THEN w.relation::regclass::text END, ''),
       EXISTS (SELECT FROM pg_catalog.pg_locks s
               WHERE s.pid = b.pid AND s.relation = w.relation AND s.granted
                 AND s.mode = 'ShareUpdateExclusiveLock')
FROM pg_catalog.pg_locks w, unnest(pg_catalog.pg_blocking_pids(w.pid)) b (pid)
WHERE w.pid = %s AND NOT w.granted
"""
_ARE_AT_WORK = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
               WHERE locktype = 'virtualxid' AND granted AND virtualtransaction = ANY(%s))
"""


@contextmanager
def watched(connection: driver.connection, pid: int) -> Iterator[list[Blocker]]:
    """Look again and again whom a session waits for, while the work inside is done.

    Args:
        connection: A connection that nobody else uses meanwhile.
        pid: The session that may wait.

    Yields:
        The blockers that were seen last; empty while there are none.
    """
    seen: list[Blocker] = []
    is_over = threading.Event()

    def look() -> None:
        import psycopg2

        pause = _LOOK_AFTER
        while not is_over.wait(pause):
            pause = _LOOK_AGAIN_AFTER
            try:
                found = [Blocker(*row) for row in rows(connection, _BLOCKERS, (pid,))]
            except psycopg2.Error:
                return
            if found:
                seen[:] = found

    thread = threading.Thread(target=look, name="pgmigrations-blockers", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def unwatched(_connection: driver.connection, _pid: int) -> AbstractContextManager[list[Blocker]]:
    """Look at nothing: a first attempt is seldom in anybody's way, and a thread costs time."""
    return nullcontext([])


def told(connection: driver.connection, blockers: list[Blocker]) -> str:
    """Say who they are, for messages."""
    places = sorted({one.relation for one in blockers if one.relation})
    who = "; ".join(map(str, sessions(connection, [one.pid for one in blockers])))
    place = f" on {', '.join(places)}" if places else ""
    return f"{who or 'a session that has ended'} holds a lock{place}"


def wait_for(connection: driver.connection, blockers: list[Blocker], limit: float) -> None:
    """Wait until the transactions that were in the way are over, without queueing behind them.

    Args:
        connection: A connection for the questions; takes no lock.
        blockers: From `watched()`.
        limit: Seconds at most.
    """
    transactions = [one.transaction for one in blockers if one.transaction]
    end = time.monotonic() + limit
    said_at = float("-inf")
    while transactions and time.monotonic() < end:
        ((are_at_work,),) = rows(connection, _ARE_AT_WORK, (transactions,))
        if not are_at_work:
            return
        if time.monotonic() - said_at >= _SAY_AGAIN_AFTER:
            said_at = time.monotonic()
            log.info("Waiting: %s", told(connection, blockers))
        time.sleep(_POLL)


def backoff(attempt: int) -> float:
    """Return the seconds to wait before another attempt: 0.2, doubled up to 5, with jitter."""
    return min(0.2 * 2.0 ** min(attempt, 10), 5.0) * random.uniform(0.7, 1.3)
