"""The embedded server of a project: where its data lies, and its URL."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pgmigrations.embedded import account, lock, policy
from pgmigrations.embedded.data_folder import DataFolder
from pgmigrations.embedded.server import EmbeddedServer
from pgmigrations.embedded.tree import require_platform, version_text

FOLDER = ".pgdata"
DATABASE = "app"
ELSEWHERE = Path("/var/lib/pgmigrations")
_POINTER = "location"
_ORIGIN = "project"


def embedded_url(
    project: Path,
    *,
    database: str = DATABASE,
    environ: Mapping[str, str] = os.environ,
    announce: Callable[[str], None] | None = None,
    markers: Sequence[Path] = policy.CONTAINER_MARKERS,
    elsewhere: Path = ELSEWHERE,
) -> str:
    """Return the URL of the project's embedded server, started when it is not running.

    For callers that found no `DATABASE_URL`. In CI, containers and AWS Lambda the server is used
    only when PGMIGRATIONS_EMBEDDED=1 is set or it is already running.

    Args:
        project: Root folder of the project; the data is in its `.pgdata`.
        database: Database to create when missing.
        environ: The environment variables.
        announce: Takes the line that says which server is used; default: print it to stderr.
        markers: Files that exist only in containers.
        elsewhere: Parent of the data when root's server account cannot reach the project.

    Raises:
        RefusedError: It would hide a forgotten `DATABASE_URL` here.
        EmbeddedError: It cannot be started.
    """
    require_platform()
    wanted = policy.wanted(environ)
    if wanted is False:
        raise policy.switched_off()
    where = None if wanted else policy.deployment(environ, markers)
    if where is not None and not find_server(project, environ).status().running:
        raise policy.refused(where)
    server = project_server(project, environ, elsewhere)
    server.start()
    server.create_database(database)
    (announce or _print)(announcement(project, server))
    return server.url(database)


def announcement(project: Path, server: EmbeddedServer) -> str:
    """Say in one line which server is used."""
    version = server.status().version
    number = f" {version_text(version)}" if version else ""
    data, root = server.data, project.resolve()
    shown = data.relative_to(root) if data.is_relative_to(root) else data
    return (
        f"Using the embedded PostgreSQL{number} in {shown} (set DATABASE_URL to use another server)"
    )


def find_server(project: Path, environ: Mapping[str, str] = os.environ) -> EmbeddedServer:
    """Return the project's server as it is; makes nothing."""
    require_platform()
    home = _home(project)
    return EmbeddedServer(_pointed(home) or home.path, user=_user(environ))


def project_server(
    project: Path, environ: Mapping[str, str] = os.environ, elsewhere: Path = ELSEWHERE
) -> EmbeddedServer:
    """Return the project's server, with a place for its data.

    The place is `.pgdata`, unless root works in a folder that the server's account cannot reach
    (a project in root's home): then it is a folder under `elsewhere`, and `.pgdata/location`
    names it. Deleting `.pgdata` starts anew in both cases.

    Args:
        project: Root folder of the project.
        environ: The environment variables.
        elsewhere: Root-owned parent of such folders.
    """
    require_platform()
    home = _home(project, _user(environ))
    return EmbeddedServer(_place(home, elsewhere) or home.path, user=_user(environ))


def _place(home: DataFolder, elsewhere: Path) -> Path | None:
    if os.geteuid() != 0:
        return None
    if not home.exists() and home.account().closed_parent(_existing(home.path)) is None:
        return None
    if home.exists() and not _is_placeholder(home):
        return None
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.exclusive(home.operation_lock, 60.0):
        pointed = _pointed(home)
        if pointed is not None:
            return pointed
        if home.cluster.exists() or home.account().closed_parent(home.path) is None:
            return None
        return _make_elsewhere(home, elsewhere)


def _make_elsewhere(home: DataFolder, elsewhere: Path) -> Path:
    project = os.fspath(home.path.parent)
    elsewhere.mkdir(mode=0o755, parents=True, exist_ok=True)
    for origin in elsewhere.glob(f"*/{_ORIGIN}"):
        # Its `.pgdata` was deleted: a server without a way to reach it is of no use.
        if origin.read_text() == project:
            EmbeddedServer(origin.parent).stop()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", home.path.parent.name)[:30]
    folder = elsewhere / f"{name}-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    (folder / home.operation_lock.name).touch(mode=0o600)
    (folder / _ORIGIN).write_text(project)
    (home.path / ".gitignore").write_text("*\n")
    pointer = home.path / f"{_POINTER}.new"
    pointer.write_text(
        f"{folder}\nThe data is there because PostgreSQL, which does not run as root, cannot reach"
        " this folder.\n"
    )
    pointer.rename(home.path / _POINTER)
    return folder


def _pointed(home: DataFolder) -> Path | None:
    """Follow `.pgdata/location`; None when there is none, or it came with a copied project."""
    if not home.exists() or os.geteuid() != 0:
        return None
    try:
        folder = Path((home.path / _POINTER).read_text().split("\n")[0])
        origin = Path((folder / _ORIGIN).read_text())
    except FileNotFoundError:
        return None
    DataFolder(folder).exists()
    project = home.path.parent
    if origin == project:
        return folder
    if (origin / FOLDER / _POINTER).exists():
        return None
    (folder / _ORIGIN).write_text(os.fspath(project))
    return folder


def _is_placeholder(home: DataFolder) -> bool:
    return not home.cluster.exists()


def _existing(path: Path) -> Path:
    """The path itself, cut after its first component that does not exist."""
    while not path.parent.exists():
        path = path.parent
    return path


def _home(project: Path, user: str | None = None) -> DataFolder:
    return DataFolder(project.resolve() / FOLDER, user)


def _user(environ: Mapping[str, str]) -> str | None:
    return environ.get(account.SETTING) or None


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
