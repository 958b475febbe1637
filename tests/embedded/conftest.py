from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pgmigrations import embedded
from pgmigrations.embedded import EmbeddedServer, PostgresTree
from pgmigrations.embedded.tree_copy import copy_tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")
RAM_DISK = next((name for name in ("/dev/shm",) if os.access(name, os.W_OK)), None)
PACKAGE = Path(embedded.__file__).parent


def query(server: EmbeddedServer, text: str, *values: object, database: str = "postgres") -> Any:
    """Run one statement in autocommit and return its rows."""
    connection = psycopg2.connect(server.url(database, driver=None))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture(scope="session")
def tree() -> PostgresTree:
    return PostgresTree.from_wheel()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[EmbeddedServer]:
    with embedded.temporary_server() as server:
        yield server


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account can pass; its servers are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pgm-", dir=RAM_DISK))
    folder.chmod(0o755)
    yield folder
    for marker in folder.rglob("embedded.lock"):
        if marker.parent.stat().st_uid == os.geteuid():
            EmbeddedServer(marker.parent, stop_timeout=5.0).stop()
    shutil.rmtree(folder)


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder that every account can pass and from which programs run (no RAM disk may)."""
    folder = Path(tempfile.mkdtemp(prefix="pgm-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def seed(tree: PostgresTree) -> Iterator[Path]:
    """A stopped, initialised data folder, to be copied instead of running initdb each time."""
    folder = Path(tempfile.mkdtemp(prefix="pgm-"))
    server = EmbeddedServer(folder, tree=tree, throwaway=True)
    server.start()
    server.stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(seed: Path, place: Path) -> EmbeddedServer:
    """A server that is initialised and not started."""
    data = place / "data"
    subprocess.run(["cp", "-a", str(seed), str(data)], check=True)
    return EmbeddedServer(data, throwaway=True)


@dataclass(frozen=True)
class OrdinaryUser:
    """Runs Python scripts as an account that is not root."""

    uid: int
    gid: int
    python: str
    path: Path
    tree: Path

    def command(self, script: str) -> list[str]:
        return [self.python, "-W", "error", "-c", script]

    def popen_arguments(self) -> dict[str, Any]:
        same = os.geteuid() == self.uid
        return {
            "user": None if same else self.uid,
            "group": None if same else self.gid,
            "extra_groups": None if same else [],
            "env": {"PYTHONPATH": str(self.path), "PATH": os.defpath},
            "cwd": "/",
        }

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self.popen_arguments(),
        )

    def folder(self, parent: Path) -> Path:
        made = parent / "of-ordinary-user"
        made.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(made, self.uid, self.gid)
        return made


@pytest.fixture(scope="session")
def ordinary_user(tree: PostgresTree) -> Iterator[OrdinaryUser]:
    """An ordinary user with a Python, our package and the binaries in reach."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    python = shutil.which("python3", path=os.defpath + ":/usr/local/bin")
    modern = "import sys; sys.exit(sys.version_info < (3, 11))"
    if python is None or subprocess.run([python, "-c", modern], check=False).returncode:
        pytest.skip("no system-wide Python 3.11 or newer that an ordinary user can run")
    folder = Path(tempfile.mkdtemp(prefix="pgm-"))
    folder.chmod(0o755)
    for source in [
        *PACKAGE.rglob("*"),
        PACKAGE.parent / "__init__.py",
        PACKAGE.parent / "errors.py",
    ]:
        if source.is_file() and "__pycache__" not in source.parts:
            copy = folder / "pgmigrations" / source.relative_to(PACKAGE.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    made = copy_tree(tree, folder / "tree")
    yield OrdinaryUser(account.pw_uid, account.pw_gid, python, folder, made.root)
    shutil.rmtree(folder)


def is_private(folder: Path) -> bool:
    return stat.S_IMODE(folder.stat().st_mode) == 0o700


def pid_of(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def start_script(data: Path, after: str = "") -> list[str]:
    script = (
        "import sys, pathlib\n"
        "from pgmigrations.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(pathlib.Path(sys.argv[1]), throwaway=True)\n"
        "server.start()\n"
        "print(server.status().pid, flush=True)\n" + after
    )
    return [sys.executable, "-W", "error", "-c", script, str(data)]


def is_busy(server: EmbeddedServer, backend: int) -> bool:
    text = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %s"
    return bool(query(server, text, backend) == [(True,)])


def shared_memory_of(pid: int) -> list[str]:
    table = Path("/proc/sysvipc/shm")
    if not table.exists():
        return []
    return [line for line in table.read_text().splitlines()[1:] if str(pid) in line.split()[4:6]]
