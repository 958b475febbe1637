"""Where a deployment goes: what alembic.ini, the environment and the secrets say."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, from_environment
from pgmigrations.deploy.application_login import ApplicationLogin
from pgmigrations.deploy.endpoint import NotConfigured, endpoint_of
from pgmigrations.deploy.file_store import FileStore, url_of
from pgmigrations.deploy.login import Server
from pgmigrations.deploy.rotation import Rotation
from pgmigrations.deploy.secret import Endpoint, Secret, SecretStore, SecretUnusable
from pgmigrations.deploy.tls import tls_parameters
from pgmigrations.run import manifest as manifests
from pgmigrations.run.at_head import project_url
from pgmigrations.settings import SECTION, Settings

APPLICATION_NAME = "pgmigrations deploy"
FILE = "file:"
"""What the name of a secret begins with that is a file and not one of Secrets Manager's."""


@dataclass(frozen=True)
class Wiring:
    """Where a deployment goes.

    Attributes:
        ini: The project's alembic.ini.
        settings: Those of its section `[pgmigrations]`.
        server: The database, as the migrating role reaches it.
        rotation: The application's logins.
    """

    ini: Path
    settings: Settings
    server: Server
    rotation: Rotation

    @classmethod
    def of(cls, ini: Path, environ: Mapping[str, str], store: SecretStore | None = None) -> Wiring:
        """Read it all; secrets are read, the database is not asked.

        The database is that of the secret that `DB_SECRET_NAME` names, else of `DATABASE_URL` or
        libpq's variables, else the project's own. `DB_NAME` names another database of the same
        server. The application's secrets get `DB_PROXY` as their host, `host` or `host:port`, else
        the migrating role's own.

        Args:
            ini: The project's alembic.ini.
            environ: The environment, usually `os.environ`.
            store: What keeps secrets whose name does not begin with `file:`; by default Secrets
                Manager.

        Raises:
            NotConfigured: A variable or a file is missing, or cannot be understood.
            SecretUnusable, SecretStoreFailure: The migrating role's secret cannot be had.
            UnknownSetting, InvalidSetting: alembic.ini has a key or a value that does not fit.
        """
        settings = _settings_of(ini)
        stores = _Stores(environ, store)
        url = _named(_direct_url(ini, environ, settings, stores))
        logins = [stores.login(one, settings) for one in settings.application_logins]
        rotation = Rotation(
            Server(url),
            endpoint_of(url, environ) if logins else Endpoint("", 0, ""),
            logins,
            settings.rotation_days,
            # Without a manifest it is known once an upgrade has written one.
            cache(lambda: _version_table(ini, settings)),
        )
        return cls(ini, settings, Server(url), rotation)


class _Stores:
    """The stores, each made once."""

    def __init__(self, environ: Mapping[str, str], store: SecretStore | None) -> None:
        self._environ = environ
        self._store = store
        self._files = FileStore()

    def login(self, setting: str, settings: Settings) -> ApplicationLogin:
        """A login of the setting `application_logins`."""
        login, _, variable = setting.partition("=")
        name = self._environ.get(variable, "")
        if not name:
            raise NotConfigured(
                f"{variable}, which names the secret of {login}, is not set",
                "Set it to the secret's name or ARN, or to file:/path/of/a/file.env",
            )
        is_alternating = settings.rotation == "alternating"
        return ApplicationLogin(login, *self.of(name), is_alternating)

    def of(self, name: str) -> tuple[str, SecretStore]:
        """The name of a secret as its store knows it, and the store."""
        if name.startswith(FILE):
            return name.removeprefix(FILE), self._files
        if self._store is None:
            from pgmigrations.aws.secrets_manager import SecretsManager

            self._store = SecretsManager()
        return name, self._store


def _settings_of(ini: Path) -> Settings:
    if not ini.is_file():
        raise NotConfigured(f"There is no {ini}", "Name the project's alembic.ini")
    parser = configparser.ConfigParser({"here": str(ini.absolute().parent)})
    parser.read(ini, encoding="utf-8")
    section = dict(parser.items(SECTION)) if parser.has_section(SECTION) else {}
    own = {key: text for key, text in section.items() if key not in parser.defaults()}
    return Settings.load(own, str(ini))


def _version_table(ini: Path, settings: Settings) -> tuple[str, str]:
    """The name and the schema of the version table, by which a rotation locks as a migration does.

    env.py may say them itself; the manifest knows what it says, and without one env.py is run.
    """
    root = ini.absolute().parent
    known = manifests.read(str(root))
    if known is None or not known.fits(str(root), str(root / "pyproject.toml")):
        from alembic.config import Config

        from pgmigrations.migrate.manifest import made_manifest

        # An env.py that can only connect is nothing that a deployment fails for.
        with suppress(Exception, SystemExit), redirect_stderr(StringIO()):
            config = Config(str(ini), attributes={"configure_logger": False})
            known, _ = made_manifest(config)
    told = known or settings
    return told.version_table, told.version_table_schema


def _direct_url(
    ini: Path, environ: Mapping[str, str], settings: Settings, stores: _Stores
) -> DatabaseUrl:
    name = environ.get("DB_SECRET_NAME", "")
    if name:
        known, store = stores.of(name)
        version = store.current(known)
        if version is None:
            raise SecretUnusable(
                f"The secret {known} has no value, or does not exist",
                "DB_SECRET_NAME names the migrating role's secret: create it, or correct the name",
            )
        return _url_of(version.secret, known, environ, is_file=isinstance(store, FileStore))
    named = from_environment(environ)
    if named is not None:
        return _told(named, environ)
    if not settings.database_url:
        raise NotConfigured(
            "No database is named", "Set DB_SECRET_NAME, or DATABASE_URL, or PGHOST and the like"
        )
    root = str(ini.absolute().parent)
    kept = list(sys.path)
    sys.path.insert(0, root)
    try:
        return _told(project_url(root, settings.database_url), environ)
    finally:
        sys.path[:] = kept


def _url_of(secret: Secret, name: str, environ: Mapping[str, str], *, is_file: bool) -> DatabaseUrl:
    missing = [key for key in ("username", "password", "host") if not secret.fields.get(key)]
    if missing:
        raise SecretUnusable(
            f"The secret {name} lacks {', '.join(missing)}",
            "The migrating role's secret holds username, password, host, port, dbname",
        )
    if is_file:
        return _told(url_of(secret), environ)
    database = environ.get("DB_NAME") or secret.dbname
    if not database:
        # RDS names none in the secret of an instance that was made without a database.
        raise NotConfigured(
            f"The secret {name} names no database", "Set DB_NAME, or add dbname to the secret"
        )
    parameters = {
        "host": secret.host,
        "port": str(secret.port),
        "user": secret.username,
        "password": secret.password,
        "dbname": database,
    }
    return DatabaseUrl(tuple((parameters | tls_parameters(environ)).items()))


def _told(url: DatabaseUrl, environ: Mapping[str, str]) -> DatabaseUrl:
    """The URL with what the environment says besides; the rest is the project's choice."""
    if environ.get("DB_NAME"):
        url = url.with_database(environ["DB_NAME"])
    if not environ.get("DB_SSLMODE"):
        return url
    told = url.libpq | tls_parameters(environ)
    return DatabaseUrl(tuple(told.items()))


def _named(url: DatabaseUrl) -> DatabaseUrl:
    if "application_name" in url.libpq:
        return url
    return DatabaseUrl((*url.parameters, ("application_name", APPLICATION_NAME)))


def default_ini(environ: Mapping[str, str] = os.environ) -> Path:
    """The project's alembic.ini: `PGMIGRATIONS_INI`, else that of the function's folder.

    Args:
        environ: The environment.
    """
    root = Path(environ.get("LAMBDA_TASK_ROOT", ""))
    return Path(environ.get("PGMIGRATIONS_INI") or root / "alembic.ini")
