"""The scratch database: a throwaway neighbour of the target, where things may be tried."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import identifier, literal

_PREFIX = "pgm_scratch_"
_INSUFFICIENT_PRIVILEGE = "42501"


class NoScratchDatabase(PgMigrationsError):
    """The role may not create a database."""


@contextmanager
def scratch_database(target: Connection) -> Iterator[Connection]:
    """Create an empty database on the target's server, connect to it, and drop it in the end.

    It has the target's encoding, locale and search path. What a killed run left behind is dropped
    first: a scratch database belongs to whoever holds the advisory lock of its name. The target
    itself is only read.

    Args:
        target: A connection to the database that the work is about.

    Raises:
        NoScratchDatabase: The role has no CREATEDB.
    """
    with _engine(target).connect() as keeper:
        keeper = keeper.execution_options(isolation_level="AUTOCOMMIT")
        prefix = _PREFIX + str(keeper.execute(text(_TARGET_ID)).scalar_one()) + "_"
        _drop_leftovers(keeper, prefix)
        name = f"{prefix}{os.getpid()}_{secrets.token_hex(4)}"
        keeper.execute(_LOCK, {"name": name})
        try:
            _create(keeper, name)
            with _connected(target, name) as scratch:
                yield scratch
        finally:
            _drop(keeper, name)


_TARGET_ID = "SELECT oid FROM pg_database WHERE datname = current_database()"
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


def _engine(target: Connection, database: str | None = None) -> Engine:
    """Connect as the target does, whatever its URL looked like, to it or to another database."""
    dbapi = target.connection.dbapi_connection
    assert dbapi is not None
    parameters = {**dbapi.get_dsn_parameters(), "password": dbapi.info.password or None}
    if database is not None:
        parameters["dbname"] = database
    return create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(**parameters),
        poolclass=NullPool,
    )


@contextmanager
def _connected(target: Connection, name: str) -> Iterator[Connection]:
    search_path = target.execute(text("SHOW search_path")).scalar_one()
    schemas = target.execute(text("SELECT current_schemas(false)")).scalar_one()
    with _engine(target, name).connect() as scratch:
        for schema in schemas:
            statement = f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}"
            scratch.exec_driver_sql(statement, execution_options={"no_parameters": True})
        scratch.execute(
            text("SELECT set_config('search_path', :path, false)"), {"path": search_path}
        )
        scratch.commit()
        yield scratch


def _drop_leftovers(keeper: Connection, prefix: str) -> None:
    found = keeper.execute(
        text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)"),
        {"prefix": prefix},
    )
    for name in found.scalars().all():
        if keeper.execute(_LOCK, {"name": name}).scalar_one():
            _drop(keeper, name)


def _create(keeper: Connection, name: str) -> None:
    try:
        _execute(keeper, f"CREATE DATABASE {identifier(name)} TEMPLATE template0 {_like(keeper)}")
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != _INSUFFICIENT_PRIVILEGE:
            raise
        role = keeper.execute(text("SELECT current_user")).scalar_one()
        raise NoScratchDatabase(
            f"Role {role} may not create the scratch database that is needed to compare with",
            f"Use a role with that right: ALTER ROLE {identifier(role)} CREATEDB",
        ) from error


def _drop(keeper: Connection, name: str) -> None:
    _execute(keeper, f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
    keeper.execute(_UNLOCK, {"name": name})


def _execute(keeper: Connection, sql: str) -> None:
    keeper.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _like(keeper: Connection) -> str:
    """Write the encoding and locale of the target, as far as its server version has them."""
    row = (
        keeper.execute(
            text(
                "SELECT *, pg_encoding_to_char(encoding) AS encoding_name FROM pg_database "
                "WHERE datname = current_database()"
            )
        )
        .mappings()
        .one()
    )
    parts = [
        f"ENCODING {literal(row['encoding_name'])}",
        f"LC_COLLATE {literal(row['datcollate'])}",
        f"LC_CTYPE {literal(row['datctype'])}",
    ]
    # PostgreSQL 15 and 16 call it daticulocale, 17 and later datlocale for every provider.
    locale = row.get("datlocale") or row.get("daticulocale")
    provider = {"i": "icu", "b": "builtin"}.get(row.get("datlocprovider", "c"))
    if provider and locale:
        parts.append(f"LOCALE_PROVIDER {provider} {provider.upper()}_LOCALE {literal(locale)}")
    return " ".join(parts)
