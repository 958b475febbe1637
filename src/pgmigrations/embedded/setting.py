"""The settings that a server is started with."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from pgmigrations.embedded.error import EmbeddedError
from pgmigrations.embedded.tree import PostgresTree
from pgmigrations.embedded.tree_copy import add_own_extensions

_BASE = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    # Thousands of tables that are made in one transaction are as many locks and more.
    "max_locks_per_transaction": "256",
    # It would write to databases that nobody writes to, and be in the way when they are dropped.
    "autovacuum": "off",
    # Data may lie in memory, which a runaway query would fill.
    "temp_file_limit": "1GB",
}
_RESERVED = {"cluster_name", "data_directory", "external_pid_file", "unix_socket_directories"}


def check_settings(settings: Mapping[str, str]) -> None:
    """Refuse settings that the launcher depends on.

    Raises:
        EmbeddedError: One of them is given.
    """
    wrong = sorted(_RESERVED.intersection(name.lower() for name in settings))
    if wrong:
        raise EmbeddedError(f"The embedded server chooses {', '.join(wrong)} itself")


def server_settings(
    tree: PostgresTree,
    given: Mapping[str, str],
    *,
    throwaway: bool,
    cluster_name: str,
    socket_folder: Path,
    share: Path,
) -> dict[str, str]:
    """Put together the settings of a server that is about to start.

    Args:
        tree: The binaries.
        given: The user's settings; they win.
        throwaway: Trade durability for speed.
        cluster_name: Shown in the titles of the server's processes.
        socket_folder: Where the socket goes.
        share: Folder to write our SQL-only extensions to.
    """
    settings = dict(_BASE)
    if throwaway:
        settings |= _THROWAWAY
    settings["cluster_name"] = cluster_name
    settings["unix_socket_directories"] = os.fspath(socket_folder)
    if tree.version[0] >= 18 and not tree.offers("uuid-ossp"):
        # The setting is a list with ':' between its members: a folder with one cannot serve.
        place = share if ":" not in os.fspath(share) else socket_folder / "share"
        add_own_extensions(place)
        settings["extension_control_path"] = f"$system:{place}"
    settings |= {name.lower(): value for name, value in given.items()}
    if settings["listen_addresses"] and "port" not in settings:
        settings["port"] = str(_free_port())
    return settings


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
