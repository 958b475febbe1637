"""The folder of the server's socket: short, private, and checked before it is trusted.

A socket's path may have about 107 bytes on Linux and 103 on macOS, so it cannot lie beside the
data. `/tmp` is used and not `XDG_RUNTIME_DIR`, which vanishes at logout while the server lives.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from pgmigrations.embedded.account import Account

PARENT = Path("/tmp")


def make_socket_folder(account: Account, cluster_name: str, parent: Path = PARENT) -> Path:
    """Make or clean the socket folder of a server that is not running.

    Its name follows from the data folder, so a URL stays valid over restarts; when somebody else
    sits on the name, a random one is taken.

    Args:
        account: Who runs the server; the folder is theirs alone.
        cluster_name: See `DataFolder.cluster_name`.
        parent: Where to make it.
    """
    folder = parent / f"{cluster_name}-{account.uid}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        info = folder.lstat()
        # Root's own: a starter was killed before it could hand the folder over.
        owners = {account.uid, os.geteuid()}
        if not stat.S_ISDIR(info.st_mode) or info.st_uid not in owners or info.st_mode & 0o077:
            folder = Path(tempfile.mkdtemp(prefix=f"{cluster_name}-{account.uid}-", dir=parent))
        else:
            _empty(folder)
    account.own(folder)
    return folder


def remove_socket_folder(account: Account, folder: Path, cluster_name: str) -> None:
    """Remove the socket folder of a stopped server.

    Args:
        account: Who ran the server.
        folder: The folder; left alone when it is not the account's, or another server's (a
            copied data folder still names the one of its original).
        cluster_name: See `DataFolder.cluster_name`.
    """
    try:
        info = folder.lstat()
    except FileNotFoundError:
        return
    ours = folder.name.startswith(f"{cluster_name}-") and info.st_uid in {account.uid, os.geteuid()}
    if ours and stat.S_ISDIR(info.st_mode):
        shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    # A stale lock file whose process id is in use again would keep the server from starting.
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
