"""Passwords of roles: set as a verifier that is made here, and tried by logging in."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import extensions, sql

from pgmigrations.database_url import DatabaseUrl
from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.connection import connect
from pgmigrations.run.failure import PrivilegeMissing, TooManyConnections, WrongPassword, explain
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from pgmigrations.deploy.secret import Secret

LOCK_TIMEOUT = "10s"
"""How long `ALTER ROLE` waits for another change of the same role."""

_LOOK = """
SELECT r.rolname::text, r.rolsuper OR r.rolname = session_user,
       coalesce(r.rolvaliduntil <= now(), false), me.rolname::text,
       me.rolsuper OR me.rolcreaterole,
       me.rolsuper OR current_setting('server_version_num')::int < 160000
         OR pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_roles me
WHERE r.rolname = ANY(%s) AND me.rolname = current_user
"""
# The server does not look at the password then.
_NOT_LOOKED_AT = re.compile(r"pg_hba\.conf|no such user|no credentials for the role")


class RoleMissing(PgMigrationsError):
    """A login that no revision has made.

    Attributes:
        roles: The roles that are missing.
    """

    def __init__(self, roles: Collection[str]) -> None:
        named = ", ".join(roles)
        super().__init__(
            f"There is no role {named}, whose password is to be set",
            "Roles are made by revisions: declare it in app/models/access.py and generate one "
            "(pgmigrations revision --autogenerate)",
        )
        self.roles = tuple(roles)


class LoginRefused(PgMigrationsError):
    """A login whose password is not an application's to have."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"The role {role} is a superuser, or the one that migrates: it is no application's",
            "Name another one in application_logins",
        )
        self.role = role


POOLED = (
    "There is a pooler or a proxy in between, which may know only some logins: let the migrating "
    "role's secret name the server's own endpoint"
)


class LoginUntried(PgMigrationsError):
    """A login that cannot be tried from here, so that nothing is known of its password."""

    def __init__(self, role: str, reason: str, hint: str = POOLED) -> None:
        super().__init__(
            f"{role} does not log in from here, which may still be right: {reason}", hint
        )
        self.role = role


class LoginExpired(PgMigrationsError):
    """A login whose password is no longer valid, whatever it is."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"The passwords of the role {role} have been valid until now only (VALID UNTIL)",
            f"Nothing was changed; to let it in: ALTER ROLE \"{role}\" VALID UNTIL 'infinity'",
        )
        self.role = role


@dataclass(frozen=True)
class Server:
    """The database as the migrating role reaches it, without a pooler that knows only some logins.

    Attributes:
        url: Where it is, with the migrating role's login.
    """

    url: DatabaseUrl

    def connect(self) -> extensions.connection:
        """Connect as the migrating role.

        Raises:
            DatabaseFailure: The server cannot be reached, or refuses.
        """
        try:
            return connect(self.url)
        except psycopg2.Error as error:
            raise explain(error, url=self.url) from error

    def lets_in(self, secret: Secret) -> bool:
        """Log in with a secret's name and password, and leave.

        Returns:
            False where the server says that the password is wrong or the role may not log in.

        Raises:
            LoginUntried: Its password was not looked at.
            DatabaseFailure: It could not be found out.
        """
        url = self._url_of(secret)
        try:
            connect(url).close()
        except psycopg2.Error as error:
            failure = explain(error, url=url)
            if isinstance(failure, WrongPassword) and _NOT_LOOKED_AT.search(str(error)):
                hint = failure.hint if "pg_hba" in str(error) else POOLED
                raise LoginUntried(secret.username, failure.what, hint) from None
            if isinstance(failure, WrongPassword):
                return False
            # The role's own limit is looked at after its password.
            if isinstance(failure, TooManyConnections) and "for role" in str(error):
                return True
            raise failure from None
        return True

    def refusal_of(self, secret: Secret) -> PgMigrationsError | None:
        """Say why a login fails; None where it does not."""
        url = self._url_of(secret)
        try:
            connect(url).close()
        except psycopg2.Error as error:
            return explain(error, url=url)
        return None

    def _url_of(self, secret: Secret) -> DatabaseUrl:
        login = {"user": secret.username, "password": secret.password}
        # A passfile or a service may hold the migrating role's password; options are its own, too.
        given = {key: value for key, value in self.url.libpq.items() if key != "options"}
        return DatabaseUrl(tuple((given | login).items()))


def refuse_unusable(connection: extensions.connection, roles: Collection[str]) -> None:
    """Check that roles are there, and that their passwords may be set.

    Args:
        connection: As the migrating role; in no transaction afterwards.
        roles: Their names, unquoted.

    Raises:
        RoleMissing: Revisions have not made one of them.
        LoginRefused: One is a superuser, or the migrating role itself.
        LoginExpired: The server lets one in by no password.
        PrivilegeMissing: The migrating role may not set one's password.
    """
    found = {role: rest for role, *rest in rows(connection, _LOOK, (list(roles),))}
    connection.rollback()
    missing = [role for role in roles if role not in found]
    if missing:
        raise RoleMissing(missing)
    for role, (is_refused, is_expired, me, may_create, is_admin) in found.items():
        if is_refused:
            raise LoginRefused(role)
        if is_expired:
            raise LoginExpired(role)
        wanting = [] if may_create else [f'ALTER ROLE "{me}" CREATEROLE']
        wanting += [] if is_admin else [f'GRANT "{role}" TO "{me}" WITH ADMIN OPTION']
        if wanting:
            grant = "; ".join(wanting)
            raise PrivilegeMissing(
                f"User {me} may not set the password of {role}",
                f"Run as a privileged role: {grant}",
                subject=role,
                grant=grant,
            )


def set_password(connection: extensions.connection, secret: Secret, *, work: int) -> None:
    """Let a role log in with the password of a secret, and change nothing else of it.

    Emits `ALTER ROLE … LOGIN PASSWORD 'SCRAM-SHA-256$…'`, in a transaction that holds the advisory
    lock for work, so that what a killed run has sent is waited for. The password itself is not
    sent: the server keeps a verifier as it is.
    Source: https://www.postgresql.org/docs/current/sql-alterrole.html

    Args:
        connection: As the migrating role, which needs CREATEROLE and, from PostgreSQL 16 on, the
            ADMIN option on the role; in no transaction.
        secret: Name and password.
        work: Key of the advisory lock.

    Raises:
        DatabaseFailure: The server refuses.
    """
    verifier = extensions.encrypt_password(
        secret.password, secret.username, connection, "scram-sha-256"
    )
    statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
        sql.Identifier(secret.username), sql.Literal(verifier)
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_catalog.set_config('lock_timeout', %s, true), "
                "pg_catalog.pg_advisory_xact_lock(%s)",
                (LOCK_TIMEOUT, work),
            )
            cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege as error:
        raise _may_not(connection.info.user, secret.username, error) from None
    except psycopg2.Error as error:
        raise explain(error, doing=f"setting the password of {secret.username}") from None


def _may_not(user: str, role: str, error: psycopg2.Error) -> PrivilegeMissing:
    quoted_role, quoted_user = ('"' + name.replace('"', '""') + '"' for name in (role, user))
    grant = f"GRANT {quoted_role} TO {quoted_user} WITH ADMIN OPTION"
    return PrivilegeMissing(
        f"The role {user} may not set the password of {role}: {error.diag.message_primary}",
        f"It needs CREATEROLE and, from PostgreSQL 16 on, {grant}, which the role that has made "
        f"{role} can give; with rds.restrict_password_commands, membership in rds_password",
        sqlstate=error.pgcode,
        subject=role,
        grant=grant,
    )
