"""Secrets in files as Docker, systemd and shells read them: one variable holds the login's URL."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.deploy.secret import Secret, SecretStoreFailure, SecretUnusable, Version
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
        version = _read(Path(name))
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
        """Write the file beside it."""
        # As libpq and every other client read it, too.
        url = url_of(secret).sqlalchemy.replace("postgresql+psycopg2:", "postgresql:", 1)
        lines = [f"{VERSION}={token}", f"{URL}={url}"]
        _write(_beside(name), lines)
        return token

    def promote(self, name: str, version: str, current: str) -> None:
        """Put the pending login into the file, and remove the one beside it."""
        pending = _read(_beside(name))
        if pending is None or pending.id != version:
            raise SecretStoreFailure(
                f"{_beside(name)} has changed meanwhile", "Run the deployment again"
            )
        kept = [line for line in _lines(Path(name)) if _named(line) not in (VERSION, URL)]
        written = [line for line in _lines(_beside(name)) if _named(line) in (VERSION, URL)]
        _write(Path(name), [*kept, *written])
        with suppress(FileNotFoundError):
            _beside(name).unlink()


def _beside(name: str) -> Path:
    return Path(f"{name}.pending")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise SecretStoreFailure(f"{path} cannot be read: {reason}") from None


def _named(line: str) -> str:
    """The variable that a line sets, as a shell or Docker reads it."""
    return line.partition("=")[0].strip().removeprefix("export ").strip()


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
    renamed["port"] = int(renamed["port"] or 0) or 5432
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


def _write(path: Path, lines: list[str]) -> None:
    """Replace a file as a whole, and have it on the disk."""
    try:
        path = path.resolve()
        known = path.stat() if path.exists() else None
        # Of one name, so that what a killed run has left is not left for good.
        name = path.with_name(f".{path.name}.new")
        name.unlink(missing_ok=True)
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
                file.flush()
                if known is not None:
                    # Whoever could read it can still.
                    os.fchown(file.fileno(), known.st_uid, known.st_gid)
                    os.fchmod(file.fileno(), known.st_mode & 0o7777)
                os.fsync(file.fileno())
            name.replace(path)
        except BaseException:
            name.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SecretStoreFailure(f"{path} cannot be written: {error.strerror}") from None
