"""A database, the role that migrates it, its application's logins and their secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
from alembic.config import Config
from psycopg2 import sql

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.deploy.application_login import ApplicationLogin
from pgmigrations.deploy.login import Server
from pgmigrations.deploy.rotation import Rotation
from pgmigrations.deploy.secret import Endpoint, Secret, SecretStore
from pgmigrations.migrate.manifest import write_manifest
from tests.support.project import Project
from tests.support.secrets_manager import SecretsServer

MIGRATOR_PASSWORD = "Migrat0r'sP4ssword$"
PROXY = "proxy.example.org"
REVISIONS = {
    "001_account": """\
from __future__ import annotations
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = "001_account", None

def upgrade() -> None:
    op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))

def downgrade() -> None:
    op.drop_table("account")
""",
    "002_access": """\
from __future__ import annotations
from pgmigrations import op
revision, down_revision = "002_access", "001_account"

def upgrade() -> None:
{roles}

def downgrade() -> None:
    pass
""",
}
_ROLE = """\
    op.create_role("{role}")
    op.grant(["SELECT"], "table", ["account"], "{role}")
"""
_numbers = count()


@dataclass(frozen=True)
class Stage:
    """Everything that a deployment needs.

    Attributes:
        admin: The database, as a superuser.
        migrator: The database over TCP, as the role that migrates: no superuser.
        logins: The application's logins; each has a second one.
        secrets: The server of the secrets.
    """

    admin: DatabaseUrl
    migrator: DatabaseUrl
    logins: tuple[str, str]
    secrets: SecretsServer

    @property
    def roles(self) -> list[str]:
        """All roles of the application."""
        return [name for login in self.logins for name in (login, f"{login}_clone")]

    @property
    def names(self) -> list[str]:
        """The names of the logins' secrets."""
        return [f"secret/{login}" for login in self.logins]

    @property
    def place(self) -> dict[str, Any]:
        """Host, port and database, as secrets have them."""
        return {
            "host": self.migrator.host,
            "port": self.migrator.port,
            "dbname": self.migrator.database,
        }

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database as a superuser."""
        with closing(psycopg2.connect(**self.admin.libpq)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(query, parameters or None)
                return cursor.fetchall() if cursor.description else []

    def make_roles(self) -> None:
        """Make the roles as a revision would."""
        migrator = dict(self.migrator.libpq)
        with closing(psycopg2.connect(**migrator)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for role in self.roles:
                    cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))

    def make_secrets(self, password: str | None = None) -> None:
        """Make the secrets: the migrating role's, and one for each login.

        Args:
            password: What the logins' secrets hold; None for a placeholder of another name.
        """
        fields = {"engine": "postgres", "username": self.migrator.user}
        fields |= {"password": self.migrator.password, **self.place}
        self.secrets.create(self.migrator_secret, fields)
        for login, name in zip(self.logins, self.names, strict=True):
            username = login if password else "applicationUsername"
            value = {"username": username, "password": password or "applicationPassword"}
            self.secrets.create(name, {"engine": "postgres", **value, "masterarn": "arn:x"})

    @property
    def migrator_secret(self) -> str:
        """The name of the migrating role's secret."""
        return f"migrator/{self.migrator.user}"

    def environ(self, proxy: str = PROXY) -> dict[str, str]:
        """The environment of the function."""
        return self.secrets.environ | {
            "DB_SECRET_NAME": self.migrator_secret,
            "DB_USER_SECRET_NAME": self.names[0],
            "DB_TABLE_CREATOR_SECRET_NAME": self.names[1],
            "DB_PROXY": proxy,
            "DB_SSLMODE": "disable",
        }

    def settings(self, **changed: str) -> dict[str, str]:
        """The settings of a project for this database."""
        first, second = self.logins
        named = f"{first}=DB_USER_SECRET_NAME {second}=DB_TABLE_CREATOR_SECRET_NAME"
        return {
            "application_logins": named,
            "database_url": "settings.py:database_url",
            **changed,
        }

    def project(self, path: Path, **settings: str) -> Project:
        """Make a project, with a manifest, whose revisions make a table, then the roles."""
        project = Project(path, self.migrator.sqlalchemy, settings=self.settings(**settings))
        (path / "settings.py").write_text(_SETTINGS)
        project.models(_MODELS)
        roles = "".join(_ROLE.format(role=role) for role in self.roles)
        for name, text in REVISIONS.items():
            (project.versions / f"{name}.py").write_text(text.format(roles=roles))
        write_manifest(Config(str(path / "alembic.ini"), attributes={"configure_logger": False}))
        return project

    def rotation(self, store: SecretStore, *, days: int = 0, mode: str = "alternating") -> Rotation:
        """The logins' rotation with any store."""
        logins = [
            ApplicationLogin(login, name, store, is_alternating=mode == "alternating")
            for login, name in zip(self.logins, self.names, strict=True)
        ]
        assert self.migrator.port
        endpoint = Endpoint(PROXY, self.migrator.port, self.migrator.database or "")
        return Rotation(Server(self.migrator), endpoint, logins, days)

    def lets_in(self, login: dict[str, Any]) -> bool:
        """Whether a secret's login works on the direct endpoint."""
        return Server(self.migrator).lets_in(Secret(login))


_MODELS = """\
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""
_SETTINGS = """\
from pathlib import Path

from pgmigrations.database_url import parse_database_url


def database_url():
    return parse_database_url(Path(__file__).with_name("database_url").read_text())
"""


@contextmanager
def stage(url: str, tcp: tuple[str, int], secrets: SecretsServer) -> Iterator[Stage]:
    """Make the migrating role and drop every role in the end.

    Args:
        url: The database, as a superuser.
        tcp: Where the server asks for passwords.
        secrets: Where the secrets are.
    """
    admin = parse_database_url(url)
    name = f"pgm{os.getpid()}x{next(_numbers)}"
    host, port = tcp
    migrator = DatabaseUrl(
        (
            ("host", host),
            ("port", str(port)),
            ("user", f"{name}_mig"),
            ("password", MIGRATOR_PASSWORD),
            ("dbname", admin.database or ""),
        )
    )
    made = Stage(admin, migrator, (f"{name}_rw", f"{name}_tc"), secrets)
    made.ask(
        f"CREATE ROLE {name}_mig LOGIN CREATEROLE CREATEDB PASSWORD %s; "
        f'ALTER DATABASE "{admin.database}" OWNER TO {name}_mig; '
        f"ALTER SCHEMA public OWNER TO {name}_mig",
        MIGRATOR_PASSWORD,
    )
    try:
        yield made
    finally:
        _drop(made, [*made.roles, f"{name}_mig"])


def _drop(made: Stage, roles: list[str]) -> None:
    for role in reversed(roles):
        found = made.ask("SELECT 1 FROM pg_roles WHERE rolname = %s", role)
        if found:
            made.ask(
                f'ALTER DATABASE "{made.admin.database}" OWNER TO CURRENT_USER; '
                f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role} CASCADE; "
                f"DROP ROLE {role}"
            )
