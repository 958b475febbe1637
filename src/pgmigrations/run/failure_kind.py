"""What can go wrong at the database: one class per failure.

`pgmigrations.run.failure.explain` makes them of the driver's errors.
SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from pgmigrations.errors import PgMigrationsError


class DatabaseFailure(PgMigrationsError):
    """The server, or the way to it, refused something.

    Args:
        what: What went wrong, with which object, where; one line.
        hint: What to do about it; one line.
        sqlstate: The server's five-character code; None where the driver gives none, which is so
            for every failure to connect.
        subject: The object concerned: the extension, role, database or table, unquoted; None where
            the server's message names none that could be read.
    """

    def __init__(
        self,
        what: str,
        hint: str = "",
        *,
        sqlstate: str | None = None,
        subject: str | None = None,
    ) -> None:
        super().__init__(what, hint)
        self.sqlstate = sqlstate
        self.subject = subject


class ConnectionFailure(DatabaseFailure):
    """No session could be had, for a reason with no class of its own."""


class WrongPassword(ConnectionFailure):
    """The login was refused: password, role, `pg_hba.conf` (28P01, 28000); `subject`: the role."""


class DatabaseMissing(ConnectionFailure):
    """The server has no such database (3D000); `subject`: the database."""


class ServerUnreachable(ConnectionFailure):
    """Nothing answers there: refused, timed out, unknown host name, no socket."""


class ServerStarting(ConnectionFailure):
    """The server is starting up or recovering (57P03)."""


class ServerShuttingDown(ConnectionFailure):
    """The server is shutting down, or an administrator ended the session (57P01, 57P03)."""


class TooManyConnections(ConnectionFailure):
    """Every connection that the server, database or role may have is taken (53300)."""


class TlsFailure(ConnectionFailure):
    """The two sides do not agree on encryption, or the certificate is not trusted."""


class ConnectionLost(DatabaseFailure):
    """The session ended under way."""


class ExtensionMissing(DatabaseFailure):
    """The extension's files are not on the server (0A000, 58P01); `subject`: the extension."""


class PrivilegeMissing(DatabaseFailure):
    """The role may not do this (42501); `subject`: the object.

    Args:
        grant: The statement that a privileged role would run to allow it, without a semicolon;
            empty where it cannot be told.
    """

    def __init__(
        self,
        what: str,
        hint: str = "",
        *,
        sqlstate: str | None = None,
        subject: str | None = None,
        grant: str = "",
    ) -> None:
        super().__init__(what, hint, sqlstate=sqlstate, subject=subject)
        self.grant = grant


class ReadOnlyDatabase(DatabaseFailure):
    """A replica, or a database, role or session set to read only (25006)."""


class LockNotAvailable(DatabaseFailure):
    """A lock was not had in time (55P03)."""


class StatementTimeout(DatabaseFailure):
    """The statement ran longer than `statement_timeout` allows (57014)."""


class StatementCancelled(DatabaseFailure):
    """Somebody cancelled the statement (57014)."""


class DeadlockDetected(DatabaseFailure):
    """Two sessions waited for each other and the server ended this one's transaction (40P01)."""


class UnsafeEnumUse(DatabaseFailure):
    """A new enum value was used in the transaction that added it (55P04)."""


class DependentObjects(DatabaseFailure):
    """A view, a function or the like needs what was to be changed or dropped (2BP01, 0A000)."""


class DiskFull(DatabaseFailure):
    """The server has no room left (53100)."""
