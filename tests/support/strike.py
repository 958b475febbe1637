"""Striking at one call of a deployment: relays before PostgreSQL and before Secrets Manager."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_SASL, _SASL_CONTINUE, _CLEARTEXT, _MD5 = 10, 11, 3, 5
_ASKS = {_SASL, _SASL_CONTINUE, _CLEARTEXT, _MD5}


class Struck(Exception):
    """The connection ends here."""


@dataclass
class Points:
    """Every call of a run, counted from 1 on over all its connections.

    Attributes:
        reached: What was called.
        at: The number of the call to strike at; 0 for none.
        is_after: Whether it was carried out by then, and the caller does not know.
        strike: What is done there.
        struck: Whether it was done.
    """

    reached: list[str] = field(default_factory=list)
    at: int = 0
    is_after: bool = False
    strike: Callable[[], None] = lambda: None
    struck: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, at: int, strike: Callable[[], None], *, is_after: bool) -> None:
        """Count anew, and strike at a call."""
        with self._lock:
            self.reached = []
            self.at, self.strike, self.is_after, self.struck = at, strike, is_after, False

    @contextmanager
    def call(self, label: str) -> Iterator[None]:
        """Carry a call out; what passes its answer on comes after."""
        with self._lock:
            self.reached.append(label)
            is_struck = len(self.reached) == self.at
        if is_struck and not self.is_after:
            self._strike()
        yield
        if is_struck:
            self._strike()

    def _strike(self) -> None:
        self.struck = True
        self.strike()
        raise Struck


@contextmanager
def database_relay(points: Points, host: str, port: int, own: int = 0) -> Iterator[int]:
    """Listen in front of a server that asks for passwords; yields the port.

    Args:
        points: What its statements are counted by.
        host: The server's host.
        port: The server's port.
        own: Where to listen; 0 for a free port.
    """
    with socket.create_server(("127.0.0.1", own), backlog=64) as listener:

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        def serve(client: socket.socket) -> None:
            with (
                suppress(OSError, EOFError, Struck),
                client,
                socket.create_connection((host, port)) as server,
            ):
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _log_in(points, client, server)
                while True:
                    _pass_one(points, client, server)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _log_in(points: Points, client: socket.socket, server: socket.socket) -> None:
    size = struct.unpack("!I", _read(client, 4))[0]
    body = _read(client, size - 4)
    user = body[4:].split(b"\0")[1].decode()
    with points.call(f"login of {user}"):
        server.sendall(struct.pack("!I", size) + body)
        last = b""
        while True:
            kind, message = _message(server)
            code = struct.unpack("!I", message[5:9])[0] if kind == b"R" else 0
            if kind in b"ZE":
                last += message
                break
            if code in _ASKS:
                client.sendall(last + message)
                last = b""
                server.sendall(_message(client)[1])
            else:
                last += message
    client.sendall(last)


def _pass_one(points: Points, client: socket.socket, server: socket.socket) -> None:
    kind, message = _message(client)
    if kind != b"Q":
        server.sendall(message)
        raise EOFError
    answer = b""
    with points.call(message[5:-1].decode(errors="replace")):
        server.sendall(message)
        while True:
            kind, part = _message(server)
            answer += part
            if kind == b"Z":
                break
    client.sendall(answer)


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _read(source, 5)
    return head[:1], head + _read(source, struct.unpack("!I", head[1:])[0] - 4)


def _read(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = source.recv(size - len(data))
        if not block:
            raise EOFError
        data += block
    return data


@contextmanager
def secrets_relay(points: Points, endpoint: str) -> Iterator[str]:
    """Listen in front of Secrets Manager; yields the URL."""
    place = urlsplit(endpoint)
    assert place.hostname

    class Relay(BaseHTTPRequestHandler):
        """Passes one call on."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = True
            with suppress(Struck):
                with points.call(self.headers["X-Amz-Target"]):
                    upstream = http.client.HTTPConnection(place.hostname or "", place.port)
                    upstream.request("POST", "/", body, dict(self.headers))
                    answer = upstream.getresponse()
                    said = answer.read()
                    upstream.close()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(said)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
