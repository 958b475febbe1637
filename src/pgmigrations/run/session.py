"""Another session, as messages name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

_STATEMENT_LIMIT = 80


@dataclass(frozen=True)
class Session:
    """What `pg_stat_activity` tells of a session; to another role's it tells little.

    Attributes:
        pid: The server's process.
        application: Its `application_name`.
        user: Its role.
        state: `active`, `idle in transaction`, …
        since: When its transaction, else its state, began; as the server prints it.
        statement: What it runs, or ran last.
    """

    pid: int
    application: str = ""
    user: str = ""
    state: str = ""
    since: str = ""
    statement: str = ""

    def __str__(self) -> str:
        told = [self.application, f"user {self.user}" if self.user else "", self.state]
        told.append(f"since {self.since}" if self.since else "")
        line = " ".join(self.statement.split())
        if len(line) > _STATEMENT_LIMIT:
            line = line[:_STATEMENT_LIMIT].rstrip() + "…"
        told.append(line)
        known = ", ".join(one for one in told if one)
        return f"pid {self.pid} ({known})" if known else f"pid {self.pid}"


_SESSIONS = """
SELECT pid, coalesce(application_name, ''), coalesce(usename::text, ''), coalesce(state, ''),
       coalesce(date_trunc('second', coalesce(xact_start, state_change))::text, ''),
       coalesce(query, '')
FROM pg_catalog.pg_stat_activity
WHERE pid = ANY(%s)
ORDER BY xact_start
"""


def sessions(connection: driver.connection, pids: Sequence[int]) -> list[Session]:
    """Look at sessions by their process ids; those that have ended are left out.

    Args:
        connection: A connection of psycopg2's.
        pids: The server's process ids.
    """
    return [Session(*row) for row in rows(connection, _SESSIONS, (list(pids),))]


def rows(
    connection: driver.connection, query: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        # Without parameters, % is no placeholder.
        cursor.execute(query, parameters or None)
        return cursor.fetchall()


@contextmanager
def in_autocommit(connection: driver.connection) -> Iterator[None]:
    """Send statements without BEGIN and COMMIT, each of which is a message, too.

    Args:
        connection: In no transaction.
    """
    before = connection.autocommit
    connection.autocommit = True
    try:
        yield
    finally:
        if not connection.closed:
            connection.autocommit = before


def try_each(connection: driver.connection, statements: Iterable[str]) -> None:
    """Run statements in autocommit, each of which the server may refuse."""
    for statement in statements:
        with suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute(statement)
