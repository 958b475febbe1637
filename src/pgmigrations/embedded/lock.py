"""Locks that end with the process that holds them.

`flock` is used since a lock lives as long as any process that inherited the file descriptor:
the server inherits one, so "is any process of this server alive?" needs no process id, and the
answer holds across containers that share the folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgmigrations.embedded.error import DataFolderError

POLL = 0.02


def take(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock, or return None when another process holds it.

    Args:
        path: The lock file; made when missing, never removed.
        shared: Only look; lookers do not exclude each other.

    Returns:
        An open file descriptor; closing it (and every inherited copy) ends the lock.

    Raises:
        DataFolderError: The file cannot be opened or locked.
    """
    import fcntl

    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DataFolderError(
            f"{path} cannot be opened ({error.strerror})", "Check who owns the data folder"
        ) from error
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        # The folder may have been removed and made anew between opening and locking.
        if _same(fd, path):
            return fd
    except BlockingIOError:
        pass
    except OSError as error:
        os.close(fd)
        raise DataFolderError(
            f"{path} cannot be locked ({error.strerror})",
            "Put the data folder on a local file system",
        ) from error
    os.close(fd)
    return None


def held(path: Path) -> bool:
    """Tell whether another process holds the lock exclusively."""
    if not path.exists():
        return False
    fd = take(path, shared=True)
    if fd is None:
        return True
    os.close(fd)
    return False


@contextmanager
def exclusive(path: Path, timeout: float) -> Iterator[int]:
    """Hold the lock; gives its file descriptor.

    Args:
        path: The lock file.
        timeout: Seconds to wait for another process.

    Raises:
        DataFolderError: Another process still holds it after `timeout`.
    """
    deadline = time.monotonic() + timeout
    while (fd := take(path)) is None:
        if time.monotonic() > deadline:
            raise DataFolderError(
                f"Another process has been starting or stopping the server in {path.parent}"
                f" for {timeout:.0f} s",
                "End that process, or wait for it",
            )
        time.sleep(POLL)
    try:
        yield fd
    finally:
        os.close(fd)


def _same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
