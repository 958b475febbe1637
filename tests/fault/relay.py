"""A relay that speaks the protocol far enough to strike at one statement."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102

Strike = Callable[[int], None]
"""What is done at the chosen point; gets the server's process id of the session."""


@dataclass
class FaultRelay:
    """Statements of every connection are counted from 1 on.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        statements: What was sent.
        at: The number of the statement to strike at; 0 for none.
        is_after: Whether the server has done it by then, and the client does not know.
        strike: What is done there.
        struck: Whether it was done.
    """

    port: int
    host: str
    server_port: int
    statements: list[str] = field(default_factory=list)
    at: int = 0
    is_after: bool = False
    strike: Strike = lambda _: None
    struck: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, at: int, strike: Strike, *, is_after: bool) -> None:
        """Count anew, and strike at a statement."""
        with self._lock:
            self.statements = []
            self.at, self.strike, self.is_after, self.struck = at, strike, is_after, False

    def serve(self, client: socket.socket) -> None:
        """Pass one connection on, until an end of it is gone."""
        server = socket.socket(socket.AF_UNIX)
        with suppress(OSError, EOFError), client, server:
            server.connect(f"{self.host}/.s.PGSQL.{self.server_port}")
            pid = self._begin(client, server)
            while pid is not None:
                self._pass_one(client, server, pid)

    def _begin(self, client: socket.socket, server: socket.socket) -> int | None:
        while True:
            size = struct.unpack("!I", _read(client, 4))[0]
            body = _read(client, size - 4)
            code = struct.unpack("!I", body[:4])[0]
            if code in (_SSL_REQUEST, _GSS_REQUEST):
                client.sendall(b"N")
                continue
            server.sendall(struct.pack("!I", size) + body)
            return None if code == _CANCEL_REQUEST else self._answer(client, server, True)

    def _pass_one(self, client: socket.socket, server: socket.socket, pid: int) -> None:
        head = _read(client, 5)
        body = _read(client, struct.unpack("!I", head[1:])[0] - 4)
        is_query = head[:1] == b"Q"
        is_struck = False
        if is_query:
            with self._lock:
                self.statements.append(body.rstrip(b"\0").decode(errors="replace"))
                is_struck = len(self.statements) == self.at
        if is_struck and not self.is_after:
            self.struck = True
            self.strike(pid)
        server.sendall(head + body)
        if head[:1] == b"X":
            raise EOFError
        if is_query:
            if is_struck and self.is_after:
                kept = _Kept()
                self._answer(kept, server, False)
                # Whoever is killed by it may be looked for at once.
                self.struck = True
                self.strike(pid)
                client.sendall(kept.said)
            else:
                self._answer(client, server, False)

    def _answer(self, client: socket.socket | _Kept, server: socket.socket, login: bool) -> int:
        pid = 0
        while True:
            head = _read(server, 5)
            body = _read(server, struct.unpack("!I", head[1:])[0] - 4)
            client.sendall(head + body)
            if head[:1] == b"K":
                pid = struct.unpack("!I", body[:4])[0]
            if head[:1] == b"Z":
                return pid


class _Kept:
    """Takes an answer that is not passed on yet."""

    said = b""

    def sendall(self, data: bytes) -> None:
        self.said += data


def _read(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = source.recv(size - len(data))
        if not block:
            raise EOFError
        data += block
    return data


@contextmanager
def fault_relay(host: str, server_port: int) -> Iterator[FaultRelay]:
    """Listen in front of a server's socket.

    Args:
        host: The folder of the socket.
        server_port: The server's port.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        relay = FaultRelay(listener.getsockname()[1], host, server_port)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=relay.serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
