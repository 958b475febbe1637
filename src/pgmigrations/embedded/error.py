"""One class per failure of the embedded server."""

from __future__ import annotations

from pgmigrations.errors import PgMigrationsError

USE_OTHER_SERVER = "set DATABASE_URL to a PostgreSQL server of your own"


class EmbeddedError(PgMigrationsError):
    """Any failure of the embedded server; catch this to offer another way."""


class PlatformError(EmbeddedError):
    """The operating system, the C library or the user account cannot run the server."""


class TreeNotFoundError(EmbeddedError):
    """No usable PostgreSQL binaries were found."""


class AccountError(EmbeddedError):
    """There is no user account under which the server may run."""


class DataFolderError(EmbeddedError):
    """The data folder belongs to someone else, or holds something else."""


class StartError(EmbeddedError):
    """The server, or `initdb`, did not come up."""


class StopError(EmbeddedError):
    """The server did not go away."""


class NotRunningError(EmbeddedError):
    """Something was asked of a server that is not running."""


class RefusedError(EmbeddedError):
    """The embedded server would hide a forgotten `DATABASE_URL`."""
