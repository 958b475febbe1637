"""Open connections that fail soon, notice a dead network, and say who they are."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue

TYPE_CHECKING = False  # Importing `typing` takes longer than connecting.
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeVar

    from psycopg2 import extensions
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
    from sqlalchemy.pool import ConnectionPoolEntry

    from pgmigrations.database_url import DatabaseUrl

    class Closable(Protocol):
        """A connection."""

        def close(self) -> None:
            """Close it."""

    Made = TypeVar("Made", bound=Closable)

CONNECT_TIMEOUT = 5
"""Seconds for each address that libpq tries."""
CONNECT_LIMIT = 9.0
"""Seconds for connecting in all: name service, every address, TLS and login."""
# A build of an index keeps a session silent for hours; a NAT forgets it after some minutes.
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
# libpq waits two seconds at least, whatever less is asked for.
_SHORTEST_TIMEOUT = 2
_DEFAULT_PORT = 5432


def connect_arguments(url: DatabaseUrl, environ: Mapping[str, str]) -> dict[str, Any]:
    """The arguments that a connection gets besides those of the URL.

    `connect_timeout` is 5 seconds and keepalives find a dead network after 60 seconds, unless the
    URL (or `PGCONNECT_TIMEOUT`) says otherwise. `fallback_application_name` is "pgmigrations": a
    name in the URL, in `PGAPPNAME` or in a service file wins. The client's encoding is UTF-8,
    whatever else is set, because revisions are. A `connect_timeout` of a service file does not
    count, since no client can see it.

    Args:
        url: Where the connection goes.
        environ: The environment, usually `os.environ`.

    Example:
        >>> psycopg2.connect(**url.libpq | connect_arguments(url, os.environ))
        >>> create_engine(url.sqlalchemy, connect_args=connect_arguments(url, os.environ))
    """
    given = url.libpq
    arguments: dict[str, Any] = {
        "fallback_application_name": "pgmigrations",
        "connect_timeout": CONNECT_TIMEOUT,
        **_KEEPALIVES,
    }
    if _has_own_timeout(url, environ):
        del arguments["connect_timeout"]
    kept = {key: value for key, value in arguments.items() if key not in given}
    return {**kept, "client_encoding": "utf8"}


def connect(url: DatabaseUrl) -> extensions.connection:
    """A connection of the driver's own, made within 9 seconds or not at all, as `open_engine` does.

    Imports no SQLAlchemy.

    Args:
        url: Where the connection goes.

    Raises:
        psycopg2.OperationalError: As from the driver.
    """
    arguments = url.libpq | connect_arguments(url, os.environ)
    if _has_own_timeout(url, os.environ):
        return _driver_connection(arguments)

    def work() -> extensions.connection:
        return _driver_connection(arguments | {"connect_timeout": _share(url, os.environ)})

    return _within_limit(work, _where(url))


def _driver_connection(arguments: dict[str, Any]) -> extensions.connection:
    import psycopg2

    made: extensions.connection = psycopg2.connect(**arguments)
    return made


def open_engine(url: DatabaseUrl) -> Engine:
    """An engine without a pool, whose connections are made within 9 seconds or not at all.

    libpq counts `connect_timeout` for each address by itself and does not count the name service,
    so a name with several dead addresses takes a multiple of it. Here the time is shared between
    the addresses, and the whole is limited. With a `connect_timeout` in the URL or
    `PGCONNECT_TIMEOUT`, only that one counts.

    Args:
        url: Where the connections go.

    Raises:
        sqlalchemy.exc.OperationalError: On connecting, as from the driver.
    """
    from sqlalchemy import NullPool, create_engine, event, make_url

    from pgmigrations.run.heard_connection import HeardConnection

    # A name that is no plain text in a URL stands in the query: see `DatabaseUrl.sqlalchemy`.
    made = make_url(url.sqlalchemy).difference_update_query(["dbname"]).set(database=url.database)
    # Else the driver asks for the type in a transaction of its own; SQLAlchemy reads it by itself.
    engine = create_engine(
        made,
        poolclass=NullPool,
        connect_args=connect_arguments(url, os.environ) | {"connection_factory": HeardConnection},
        use_native_hstore=False,
    )
    if not _has_own_timeout(url, os.environ):

        @event.listens_for(engine, "do_connect")
        def connect_within_limit(
            dialect: Dialect,
            _entry: ConnectionPoolEntry,
            arguments: list[object],
            parameters: dict[str, object],
        ) -> DBAPIConnection:
            def connect() -> DBAPIConnection:
                shared = parameters | {"connect_timeout": _share(url, os.environ)}
                return dialect.connect(*arguments, **shared)

            return _within_limit(connect, _where(url))

    return engine


def forget_if_lost(connection: Connection) -> None:
    """Let a connection go whose session has ended.

    Given back as it is, it would be rolled back, and SQLAlchemy prints a traceback where that
    fails.

    Args:
        connection: By psycopg2.
    """
    if connection.closed or connection.invalidated:
        return
    driver: Any = connection.connection.dbapi_connection
    if driver.closed:
        connection.invalidate()


def _has_own_timeout(url: DatabaseUrl, environ: Mapping[str, str]) -> bool:
    return "connect_timeout" in url.libpq or bool(environ.get("PGCONNECT_TIMEOUT"))


def _where(url: DatabaseUrl) -> str:
    host = url.host or os.environ.get("PGHOST", "localhost")
    return f'connection to server at "{host}", port {url.port or _DEFAULT_PORT} failed'


def _share(url: DatabaseUrl, environ: Mapping[str, str]) -> int:
    """Seconds for each address, so that the last one is tried before the limit."""
    given = url.libpq.get("hostaddr") or environ.get("PGHOSTADDR")
    hosts = given or url.host or environ.get("PGHOST", "")
    addresses = sum(_addresses(host) for host in hosts.split(","))
    return max(_SHORTEST_TIMEOUT, min(CONNECT_TIMEOUT, int(CONNECT_LIMIT / max(addresses, 1))))


def _addresses(host: str) -> int:
    if not host or host.startswith(("/", "@")):
        return 1
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return 1
    return len(found)


def _within_limit(connect: Callable[[], Made], where: str) -> Made:
    """Connect on another thread, since nothing can stop a look-up in the name service."""
    from psycopg2 import OperationalError

    answers: SimpleQueue[Made | BaseException] = SimpleQueue()
    given_up = threading.Event()

    def work() -> None:
        try:
            connection = connect()
        # Whatever it is, it belongs to the thread that asked.
        except BaseException as error:
            answers.put(error)
            return
        answers.put(connection)
        if given_up.is_set():
            connection.close()

    threading.Thread(target=work, name="pgmigrations-connect", daemon=True).start()
    try:
        answer = answers.get(timeout=CONNECT_LIMIT)
    except Empty:
        given_up.set()
        raise OperationalError(f"{where}: timeout expired") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer
