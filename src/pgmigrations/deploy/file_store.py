"""Secrets in files as Docker, systemd and shells read them: one variable holds the login's URL."""

from __future__ import annotations

import errno
import logging
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.deploy.secret import (
    DEFAULT_PORT,
    Secret,
    SecretStoreFailure,
    SecretUnusable,
    Version,
)
from pgmigrations.errors import PgMigrationsError

log = logging.getLogger("pgmigrations")

URL = "DATABASE_URL"
VERSION = "PGMIGRATIONS_SECRET_VERSION"
_RENAMED = {"username": "user", "password": "password", "host": "host", "port": "port"}
_RENAMED |= {"dbname": "dbname"}
_ORDER = ("user", "password", "host", "port", "dbname")


class FileStore:
    """Keeps each login in a file of its own, as `DATABASE_URL`; its other lines stay as they are.

    The pending version lies beside it, as `<name>.pending`. A file is replaced as a whole, so that
    whoever reads it sees the old one or the new one. It keeps its owner and its mode; a new one is
    for its owner alone (mode 0600). A link stays one.

    Example:
        >>> FileStore().current("/run/secrets/app_rw.env")
        Version(id='', secret=Secret(username='app_rw', password=***), …)
    """

    def current(self, name: str) -> Version | None:
        """The login in the file; None where there is no file, or no `DATABASE_URL` in it."""
        try:
            version = _read(Path(name))
        except SecretUnusable:
            # A run that was killed while it wrote has left what it wrote beside it.
            if self.pending(name) is None:
                raise
            return None
        left = self.pending(name) if version else None
        if version is None or left is None or left.id != version.id:
            return version
        return Version(version.id, version.secret, version.created, is_pending=True)

    def pending(self, name: str) -> Version | None:
        """The login in the file beside it; what is no login there is none of ours."""
        try:
            return _read(_beside(name))
        except SecretUnusable as error:
            log.warning("%s", error)
            return None

    def put_pending(self, name: str, secret: Secret, token: str) -> str:
        """Write the file beside it; before anything else changes, the file must be writable, too.

        Raises:
            SecretStoreFailure: One of both cannot be written, or not be read again.
        """
        _refuse_unwritable(Path(name))
        # As libpq and every other client read it, too.
        url = url_of(secret).sqlalchemy.replace("postgresql+psycopg2:", "postgresql:", 1)
        _write(_beside(name), [f"{VERSION}={token}", f"{URL}={url}"])
        try:
            written = _read(_beside(name))
        except SecretUnusable:
            written = None
        if written is None or _login_of(written.secret) != _login_of(secret):
            _beside(name).unlink()
            raise SecretStoreFailure(f"What {name} is to hold cannot be read again as it is")
        return token

    def promote(self, name: str, version: str, current: str) -> None:
        """Put the pending login into the file, and remove the one beside it."""
        pending = _read(_beside(name))
        if pending is None or pending.id != version:
            raise SecretStoreFailure(
                f"{_beside(name)} has changed meanwhile", "Run the deployment again"
            )
        before = _lines(Path(name))
        kept = [line for line in before if _named(line) not in (VERSION, URL)]
        export, quote = _style(before)
        written = [
            f"{export}{_named(line)}={quote}{line.partition('=')[2]}{quote}"
            for line in _lines(_beside(name))
            if _named(line) in (VERSION, URL)
        ]
        _write(Path(name), [*kept, *written])
        with suppress(FileNotFoundError):
            _beside(name).unlink()


def _beside(name: str) -> Path:
    return Path(f"{name}.pending")


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise SecretStoreFailure(f"{path} cannot be read: {reason}") from None
    return text.removesuffix("\n").split("\n") if text else []


def _named(line: str) -> str:
    """The variable that a line sets, as a shell or Docker reads it."""
    return line.partition("=")[0].strip().removeprefix("export ").strip()


def _style(lines: list[str]) -> tuple[str, str]:
    """How the file is written: what comes before the variable, and around its value.

    A shell takes quotes away, and Docker does not.
    """
    for line in lines:
        if _named(line) == URL:
            name, _, value = line.partition("=")
            quote = value.strip()[:1]
            is_exported = name.strip().startswith("export ")
            return "export " * is_exported, quote if quote in ("'", '"') else ""
    return "", ""


def _login_of(secret: Secret) -> tuple[object, ...]:
    return secret.username, secret.password, secret.host, secret.port, secret.dbname


def _read(path: Path) -> Version | None:
    found = {_named(line): line.partition("=")[2] for line in _lines(path) if "=" in line}
    text = found.get(URL, "").strip().strip("'\"")
    if not text:
        return None
    try:
        parameters = parse_database_url(text).libpq
    except PgMigrationsError as error:
        raise SecretUnusable(f"{URL} in {path} cannot be understood: {error.what}") from None
    renamed = {key: parameters.pop(name, "") for key, name in _RENAMED.items()}
    if "," in f"{renamed['host']}{renamed['port']}":
        raise SecretUnusable(f"{URL} in {path} names several hosts", "Name one")
    renamed["port"] = int(renamed["port"] or DEFAULT_PORT)
    created = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Version(found.get(VERSION, ""), Secret(renamed | parameters), created)


def url_of(secret: Secret) -> DatabaseUrl:
    """The URL that a file holds; other fields of the secret are libpq's parameters.

    Args:
        secret: The login.
    """
    fields = {_RENAMED.get(key, key): str(value) for key, value in secret.fields.items()}
    fields.pop("engine", None)
    first = {key: fields.pop(key) for key in _ORDER if fields.get(key)}
    return DatabaseUrl(tuple((first | fields).items()))


def _refuse_unwritable(path: Path) -> None:
    """Try that a file could be replaced, or written, before its password is another one."""
    path = path.resolve()
    try:
        fresh = _new(path)
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.unlink()
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise SecretStoreFailure(f"{path} cannot be written: {error.strerror}") from None


def _new(path: Path) -> Path:
    # Of one name, so that what a killed run has left is not left for good.
    return path.with_name(f".{path.name}.new")


def _write(path: Path, lines: list[str]) -> None:
    """Replace a file as a whole, and have it on the disk."""
    path = path.resolve()
    text = "\n".join(lines) + "\n"
    try:
        known = path.stat() if path.exists() else None
        if known is not None and known.st_mode & stat.S_IROTH:
            log.warning("%s can be read by everybody: chmod o-r it", path)
        if known is not None and os.geteuid() not in (0, known.st_uid):
            # Its owner would lose it.
            _overwrite(path, text)
        else:
            _replace(path, text, known)
    except OSError as error:
        raise SecretStoreFailure(f"{path} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str, known: os.stat_result | None) -> None:
    fresh = _new(path)
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            if known is not None:
                # Whoever could read it can still.
                os.fchown(file.fileno(), known.st_uid, known.st_gid)
                os.fchmod(file.fileno(), known.st_mode & 0o7777)
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        # What is mounted into a container as a single file can only be written.
        if known is None or error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        _overwrite(path, text)
    finally:
        fresh.unlink(missing_ok=True)


def _overwrite(path: Path, text: str) -> None:
    """Write into the file as it is; killed in between, the next run finds the pending one."""
    with path.open("r+", encoding="utf-8", newline="") as file:
        file.write(text)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
