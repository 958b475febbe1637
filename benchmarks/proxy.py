"""A relay in front of a PostgreSQL server, which counts what is sent and makes the way longer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BLOCK = 1 << 16
_QUERY = b"Q"
_PARSE = b"P"
# A message of a query's pieces is answered when a Sync follows; the end of a session, never.
_UNANSWERED = frozenset({b"B", b"C", b"D", b"E", b"P", b"X", b"c", b"d"})


@dataclass
class Relay:
    """What went through a relay.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        delay: Seconds by which each message to the server comes later: one round trip.
        statements: What was sent, BEGIN and ROLLBACK included.
        connections: How many connections were made.
        round_trips: How many messages waited for an answer, those of connecting included.
    """

    port: int
    delay: float
    statements: list[str] = field(default_factory=list)
    connections: int = 0
    round_trips: int = 0

    def clear(self) -> None:
        """Forget what has been counted."""
        self.statements.clear()
        self.connections = 0
        self.round_trips = 0


@contextmanager
def relay(host: str, port: int, delay: float = 0) -> Iterator[Relay]:
    """Listen on a free port of 127.0.0.1 and pass everything on.

    Args:
        host: The server, or the folder of its socket.
        port: Its port.
        delay: Seconds added to each round trip.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Relay(listener.getsockname()[1], delay)
        thread = threading.Thread(target=_accept, args=(listener, host, port, found), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            # Wakes the thread up, which close() alone would not.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, host: str, port: int, found: Relay) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        found.connections += 1
        server = _connect(host, port)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for work, arguments in ((_pass_up, (client, server, found)), (_pass, (server, client))):
            threading.Thread(target=work, args=arguments, daemon=True).start()


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


def _pass_up(client: socket.socket, server: socket.socket, found: Relay) -> None:
    """Pass on what the client says, one message after the other."""
    with suppress(OSError), client.makefile("rb") as reader:
        # Until the startup message, nothing has a type; version 3 starts a session.
        is_started = False
        while True:
            kind = reader.read(1) if is_started else b""
            size = reader.read(4)
            if len(size) < 4:
                break
            body = reader.read(int.from_bytes(size) - 4)
            if not is_started:
                is_started = body[:2] == b"\x00\x03"
            elif kind in (_QUERY, _PARSE):
                text = body.rstrip(b"\x00").rpartition(b"\x00")[2] if kind == _PARSE else body
                found.statements.append(text.rstrip(b"\x00").decode(errors="replace"))
            if kind not in _UNANSWERED:
                found.round_trips += 1
            if found.delay:
                time.sleep(found.delay)
            server.sendall(kind + size + body)
    _end(server)


def _pass(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while block := server.recv(_BLOCK):
            client.sendall(block)
    _end(client)
    server.close()
    client.close()


def _end(other: socket.socket) -> None:
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
