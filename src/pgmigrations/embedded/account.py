"""The user account under which the server runs."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pgmigrations.embedded.error import USE_OTHER_SERVER, AccountError

SETTING = "PGMIGRATIONS_EMBEDDED_USER"
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user account of the operating system.

    Attributes:
        name: Login name.
        uid: User id.
        gid: Id of its main group.
        drop: Whether children must change to it; true only when running as root.
    """

    name: str
    uid: int
    gid: int
    drop: bool

    def popen(
        self, argv: list[str | Path], *, output: int, keep: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a program as this account, in a session of its own, with a bare environment.

        Args:
            argv: The program and its arguments; no shell sees them.
            output: File descriptor for its output and errors.
            keep: File descriptors that stay open in it.

        Raises:
            AccountError: Root may not change to the account here.
        """
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd="/",
                pass_fds=keep,
                start_new_session=True,
                umask=0o077,
                user=self.uid if self.drop else None,
                group=self.gid if self.drop else None,
                extra_groups=[] if self.drop else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise AccountError(
                f"{argv[0]} could not be started as the user {self.name} ({error})",
                f"Run as an ordinary user; or {USE_OTHER_SERVER}",
            ) from error

    def own(self, folder: Path) -> None:
        """Hand a folder to the account."""
        if self.drop:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def can_run(self, program: Path) -> bool:
        """Measure whether the account can execute `program --version`."""
        try:
            return self.popen([program, "--version"], output=subprocess.DEVNULL).wait(30) == 0
        except (AccountError, subprocess.TimeoutExpired):
            return False

    def closed_parent(self, folder: Path) -> Path | None:
        """Return the outermost parent of `folder` that the account may not pass, if any."""
        for parent in reversed(folder.parents):
            info = parent.stat()
            if info.st_uid == self.uid:
                allowed = info.st_mode & stat.S_IXUSR
            elif info.st_gid == self.gid:
                allowed = info.st_mode & stat.S_IXGRP
            else:
                allowed = info.st_mode & stat.S_IXOTH
            if not allowed:
                return parent
        return None


def choose_account(wanted: str | None = None, owner: int | None = None) -> Account:
    """Choose the account of the server; never make one.

    Args:
        wanted: Name to use when running as root; default `postgres`, else `nobody`.
        owner: User id that owns the existing data; it wins, as only it can use the data.

    Raises:
        AccountError: PostgreSQL refuses to run as root, and there is no other account; or the
            current user id has no name, which `initdb` needs.
    """
    import pwd

    current = os.geteuid()
    if current != 0:
        return _named(current, drop=False)
    if owner:
        return _named(owner, drop=True)
    for name in (wanted,) if wanted else _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=True)
    tried = wanted or " or ".join(_CANDIDATES)
    raise AccountError(
        f"PostgreSQL does not run as root, and there is no ordinary user {tried}",
        f"Name an existing one in {SETTING}; or {USE_OTHER_SERVER}",
    )


def _named(uid: int, *, drop: bool) -> Account:
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise AccountError(
            f"The user id {uid} has no name on this machine, which PostgreSQL needs",
            f"Run as a named user; or {USE_OTHER_SERVER}",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drop)


def _environment() -> dict[str, str]:
    # PG* variables of the caller would change the server and initdb; library paths may be
    # what makes the binaries run at all.
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "TZ": "UTC",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }
