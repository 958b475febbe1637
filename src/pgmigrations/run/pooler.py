"""Is there a pooler between this client and the server?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2 import extensions as driver


def is_pooled(connection: driver.connection) -> bool:
    """Tell whether something between the client and the server hands out its own connections.

    A pooler (PgBouncer, RDS Proxy) answers the login itself, with a process id of its own; the
    server knows another. What a session holds or sets may then belong to somebody else with the
    next statement, so only transactions can be relied on.

    Emits `SELECT pg_backend_pid()`; takes no lock.

    Args:
        connection: A connection of psycopg2's, in autocommit or in no transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    told: int = connection.info.backend_pid
    return bool(told != row[0])
