"""The scratch database: a throwaway neighbour of the target, where things may be tried."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pgmigrations.database_url import parse_database_url
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.guarded_session import Session
from pgmigrations.migrate.core.quoting import identifier, literal
from pgmigrations.migrate.core.scratch_owner import (
    INSUFFICIENT_PRIVILEGE,
    PREFIX,
    drop,
    drop_leftovers,
    first_line,
    owned,
)
from pgmigrations.migrate.core.shared_object import own_alone
from pgmigrations.run.connection import open_engine
from pgmigrations.run.interruption import (
    cancellable,
    ending_undisturbed,
    interruptible,
    undisturbed,
)


class NoScratchDatabase(PgMigrationsError):
    """The role may not create a database."""


class ScratchServerDiffers(PgMigrationsError):
    """`scratch_url` leads to a server that would understand the models differently."""


@contextmanager
def scratch_database(
    target: Connection, scratch_url: str = "", *, content: str = "", elsewhere: str = ""
) -> Iterator[Connection]:
    """Create a database, connect to it, and drop it in the end, also when interrupted.

    It has the target's encoding, locale and search path. What killed runs left behind is dropped
    first, as far as the role may. The target itself is only read, and on its server nothing is
    changed that is not in the scratch database.

    Args:
        target: A connection to the database that the work is about.
        scratch_url: Another server of the same major version to create it on, where the target's
            role may not; `embedded` starts one that vanishes afterwards. Empty for the target's.
        content: SQL that fills it, run by a connection of its own; empty for an empty database.
        elsewhere: SQL that makes what all databases of a server share, run before where it is not
            the target's.

    Raises:
        NoScratchDatabase: The role has no CREATEDB.
        ScratchServerDiffers: That server has another major version.
    """
    with interruptible(), _keeper(target, scratch_url) as keeper:
        _refuse_other_version(target, keeper)
        keeper.execute(_WRITABLE)
        spare = _engine(keeper)
        drop_leftovers(keeper)
        oid = target.execute(text(_TARGET_ID)).scalar_one()
        name = f"{PREFIX}{oid}_{os.getpid()}_{secrets.token_hex(8)}"
        with spare.connect() as owner, owned(owner, name):
            try:
                _create(keeper, f"{identifier(name)} TEMPLATE template0 {_like(target)}")
                is_shared = _is_shared(target, keeper)
                for script in (content,) if is_shared else (elsewhere, content):
                    if script:
                        _fill(keeper, name, script)
                with (
                    _connected(target, keeper, name) as scratch,
                    own_alone(scratch, keeper) if is_shared else nullcontext(),
                ):
                    yield scratch
            finally:
                with undisturbed():
                    _drop_finally(keeper, spare, name)


_TARGET_ID = "SELECT oid FROM pg_database WHERE datname = current_database()"
# A role may by default only read; here is nothing but ours.
_WRITABLE = text("SELECT set_config('default_transaction_read_only', 'off', false)")


@contextmanager
def _keeper(target: Connection, scratch_url: str) -> Iterator[Connection]:
    """Connect to where databases are created and dropped."""
    with ExitStack() as stack:
        if scratch_url == "embedded":
            from pgmigrations.embedded import temporary_server

            server = stack.enter_context(ending_undisturbed(temporary_server()))
            engine = open_engine(parse_database_url(server.url("postgres")))
        elif scratch_url:
            engine = open_engine(parse_database_url(scratch_url))
        else:
            engine = _engine(target)
        keeper = stack.enter_context(engine.connect())
        yield keeper.execution_options(isolation_level="AUTOCOMMIT")


def _refuse_other_version(target: Connection, keeper: Connection) -> None:
    major, other = (
        one.execute(text("SELECT current_setting('server_version_num')::int / 10000")).scalar_one()
        for one in (target, keeper)
    )
    if major != other:
        raise ScratchServerDiffers(
            f"scratch_url leads to PostgreSQL {other}, and the database is on {major}",
            "Name a server of the same major version",
        )


def _is_shared(target: Connection, keeper: Connection) -> bool:
    """Tell whether it is the target's server."""
    started = text("SELECT pg_postmaster_start_time()")
    one, other = (each.execute(started).scalar_one() for each in (target, keeper))
    return bool(one == other)


def _engine(like: Connection, database: str | None = None) -> Engine:
    """Connect as another connection does, whatever its URL looked like, to any database there."""
    dbapi = like.connection.dbapi_connection
    assert dbapi is not None
    parameters = {**dbapi.get_dsn_parameters(), "password": dbapi.info.password or None}
    if database is not None:
        parameters["dbname"] = database
    return create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(**parameters, connection_factory=Session),
        poolclass=NullPool,
    )


def _fill(keeper: Connection, name: str, content: str) -> None:
    with _engine(keeper, name).connect() as filling, cancellable(filling):
        filling.execute(_WRITABLE)
        filling.commit()
        _execute(filling, content)
        filling.commit()


@contextmanager
def _connected(target: Connection, keeper: Connection, name: str) -> Iterator[Connection]:
    search_path = target.execute(text("SHOW search_path")).scalar_one()
    schemas = target.execute(text("SELECT current_schemas(false)")).scalar_one()
    with _engine(keeper, name).connect() as scratch, cancellable(scratch):
        scratch.execute(_WRITABLE)
        scratch.commit()
        for schema in schemas:
            _execute(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
        scratch.execute(
            text("SELECT set_config('search_path', :path, false)"), {"path": search_path}
        )
        scratch.commit()
        yield scratch


def _create(keeper: Connection, definition: str) -> None:
    try:
        _execute(keeper, f"CREATE DATABASE {definition}")
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
            raise
        role = keeper.execute(text("SELECT current_user")).scalar_one()
        raise NoScratchDatabase(
            f"Role {role} may not create the scratch database that the models are created in",
            f"Give it the right (ALTER ROLE {identifier(role)} CREATEDB), or set scratch_url in "
            "[pgmigrations] of alembic.ini to a server where that is allowed, or to embedded "
            "where the major versions are equal",
        ) from error


def _drop_finally(keeper: Connection, spare: Engine, name: str) -> None:
    """Drop it, by another connection where the keeper is lost."""
    try:
        drop(keeper, name)
    except SQLAlchemyError:
        try:
            with spare.connect() as fresh:
                drop(fresh.execution_options(isolation_level="AUTOCOMMIT"), name)
        except SQLAlchemyError as error:
            # What has brought the work down is the better message.
            log.warning("Scratch database %s is left to the next run: %s", name, first_line(error))


def _execute(keeper: Connection, sql: str) -> None:
    keeper.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _like(target: Connection) -> str:
    """Write the encoding and locale of the target, as far as its server version has them."""
    row = (
        target.execute(
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
    elif "datlocprovider" in row:
        # Else it is that of template0.
        parts.append("LOCALE_PROVIDER libc")
    return " ".join(parts)
