"""Where the application's database is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, from_environment, parse_database_url
from pgmigrations.errors import PgMigrationsError

PROJECT = Path(__file__).resolve().parent.parent


class NoDatabaseError(PgMigrationsError):
    """No database is named, and the embedded server is not installed."""


def database_url(environ: Mapping[str, str] = os.environ) -> DatabaseUrl:
    """`DATABASE_URL`, else libpq's `PG*` variables, else the embedded server of this project.

    Args:
        environ: The environment.

    Raises:
        DatabaseUrlError: `DATABASE_URL` cannot be understood, or is set and empty.
        NoDatabaseError: No database is named, and the embedded server is not installed.
    """
    named = from_environment(environ)
    if named is not None:
        return named
    try:
        from pgmigrations.embedded import embedded_url
    except ImportError as error:
        raise NoDatabaseError(
            "No database is named, and the embedded server is not installed",
            "Set DATABASE_URL (postgresql://user:password@host:5432/database), or run: "
            "pip install 'alembic-pgmigrations[embedded]'",
        ) from error
    return parse_database_url(embedded_url(PROJECT, environ=environ))
