"""The database that the environment names."""

from __future__ import annotations

from collections.abc import Mapping

from pgmigrations.database_url.parse import parse_database_url
from pgmigrations.database_url.value import DatabaseUrl, DatabaseUrlError

# A user, a password or an sslmode alone does not say that there is a server to connect to.
_NAME_A_SERVER = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGPORT", "PGDATABASE")


def from_environment(environ: Mapping[str, str]) -> DatabaseUrl | None:
    """The database of `DATABASE_URL`, else of libpq's `PG*` variables, else None.

    With `PGHOST`, `PGHOSTADDR`, `PGSERVICE`, `PGPORT` or `PGDATABASE` set, the result has no
    parameters of its own: libpq reads these variables, and all its others, when it connects.
    A variable of libpq's that is empty counts as not set.

    Args:
        environ: The environment, usually `os.environ`.

    Raises:
        DatabaseUrlError: `DATABASE_URL` cannot be understood, or is set and empty. An empty one is
            nearly always a secret that did not reach a CI job or a container, so it never falls
            back to another database.
    """
    text = environ.get("DATABASE_URL")
    if text is None:
        named = any(environ.get(name) for name in _NAME_A_SERVER)
        return DatabaseUrl() if named else None
    if not text.strip().strip("'\""):
        raise DatabaseUrlError(
            "DATABASE_URL is set and empty (a secret or variable that was not passed on?)",
            "Give it a URL, or unset it",
        )
    return parse_database_url(text)
