"""Servers that a test has for itself: what all databases of a server share is its own there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pgmigrations.embedded import EmbeddedServer
from tests.support.server import RUN_PREFIX, data_base, find_tree

OwnServers = Callable[[], AbstractContextManager[str]]
"""Makes a server, and gives the URL of an empty database on it."""


@contextmanager
def own_server(choice: str) -> Iterator[EmbeddedServer]:
    """Start a server, and stop it in the end.

    Args:
        choice: See `tests.support.server.find_tree`.
    """
    # Left over, it is found by the prefix.
    folder: Path = data_base() / f"{RUN_PREFIX}_{os.getpid()}_{os.urandom(6).hex()}"
    settings = {"listen_addresses": "127.0.0.1"}
    server = EmbeddedServer(folder, tree=find_tree(choice), settings=settings, throwaway=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def servers_like(choice: str) -> OwnServers:
    """Return what makes servers of the session's sort.

    Args:
        choice: What the session runs on.
    """

    @contextmanager
    def made() -> Iterator[str]:
        if "://" in choice:
            pytest.skip("a server given by URL cannot be made once more")
        with own_server(choice) as server:
            server.create_database("own")
            yield server.url("own")

    return made
