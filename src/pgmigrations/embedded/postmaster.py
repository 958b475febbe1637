"""The running server as seen from outside: `postmaster.pid` and the process behind it."""

from __future__ import annotations

import os
import socket
import stat
import struct
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ANSWER_TIMEOUT = 5.0
# "Message Formats" in the manual: length 8, code 80877103.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


@dataclass(frozen=True)
class PostmasterFile:
    """What `postmaster.pid` says.

    Its lines: process id, data folder, start time, port, socket folder, address, shared memory,
    state (PostgreSQL's `src/include/utils/pidfile.h`).
    """

    pid: int
    port: int
    socket_folder: Path
    ready: bool

    @property
    def socket(self) -> Path:
        """Path of the server's socket."""
        return self.socket_folder / f".s.PGSQL.{self.port}"


def read_postmaster_file(cluster: Path) -> PostmasterFile | None:
    """Read `postmaster.pid`; None while it is absent or half-written."""
    try:
        text = (cluster / "postmaster.pid").read_text(errors="surrogateescape")
    except FileNotFoundError:
        return None
    lines = text.split("\n")
    try:
        return PostmasterFile(
            pid=int(lines[0]),
            port=int(lines[3]),
            socket_folder=Path(lines[4]),
            ready=len(lines) > 7 and lines[7].strip() == "ready",
        )
    except (ValueError, IndexError):
        return None


def serves(pid: int, cluster: Path) -> bool:
    """Tell whether the process is a PostgreSQL that works on `cluster`.

    A process id in a file may since belong to any other process.
    """
    command = _command(pid)
    if os.fsencode(cluster) in command:
        return True
    try:
        # Started by hand with a relative path: the server's working folder is its data.
        here = Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False
    return here and any(b"postgres" in word for word in command)


def has_socket(file: PostmasterFile, uid: int) -> bool:
    """Tell whether the server's socket is there, in a folder of `uid` alone.

    The owner is checked since a cleaned `/tmp` lets another user put a socket in its place.
    """
    try:
        info = file.socket_folder.lstat()
        private = stat.S_ISDIR(info.st_mode) and not info.st_mode & 0o077
        return private and info.st_uid == uid and stat.S_ISSOCK(file.socket.lstat().st_mode)
    except OSError:
        return False


def accepts(file: PostmasterFile, uid: int) -> bool:
    """Tell whether the server has its socket and answers there."""
    if not has_socket(file, uid):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(ANSWER_TIMEOUT)
            client.connect(os.fspath(file.socket))
            # A server that is being killed still takes connections; only a live one answers.
            client.sendall(_SSL_REQUEST)
            return client.recv(1) in (b"N", b"S")
    except OSError:
        return False


def wait_gone(pid: int, timeout: float) -> None:
    """Wait until the process has left the process table; reap it when it is our child.

    Args:
        pid: Process id.
        timeout: Seconds after which a process that its parent does not reap is let be.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def titled_processes(title: str, uid: int) -> list[int]:
    """Return the ids of the processes of `uid` whose command line begins with `title`."""
    answer: list[int] = []
    for pid, owner in _processes():
        if owner == uid and b" -D ".join(_command(pid)).startswith(title.encode()):
            answer.append(pid)
    return answer


def _processes() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if not Path("/proc/self").exists():
        text = subprocess.run(
            ["ps", "-axo", "pid=,uid="], capture_output=True, text=True, check=False
        ).stdout
        return [(int(line.split()[0]), int(line.split()[1])) for line in text.splitlines()]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                found.append((int(entry.name), entry.stat().st_uid))
    return found


def _command(pid: int) -> list[bytes]:
    """Return the process's arguments; one string of them all where there is no `/proc`."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return []
    answer = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return answer.stdout.split(b" -c ")[0].strip().split(b" -D ")
