"""Whose a scratch database is: its owner's, as long as that holds the advisory lock of its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.quoting import identifier

PREFIX = "pgm_scratch_"
INSUFFICIENT_PRIVILEGE = "42501"

# A transaction's lock, since a session's belongs to nobody behind a transaction pooler.
_LOCK = text("""
SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)),
       (SELECT count(set_config(s.name, '0', true)) FROM pg_settings s
        WHERE s.name IN ('idle_in_transaction_session_timeout', 'transaction_timeout'))
""")
# A lock is taken per database, but shown for all of the server; it is taken before the name is
# in pg_database, so where it is not shown any more, the owner has ended.
_LEFTOVERS = text("""
SELECT d.datname FROM pg_database d
WHERE starts_with(d.datname, :prefix) AND pg_has_role(d.datdba, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_locks l
                  WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
                    AND (l.classid::bigint << 32 | l.objid::bigint)
                        = hashtextextended(d.datname, 0))
""")


@contextmanager
def owned(connection: Connection, name: str) -> Iterator[None]:
    """Own a scratch database that is yet to be created.

    Holds an advisory lock in a transaction that stays open: it has no snapshot, so that neither
    VACUUM nor CREATE INDEX CONCURRENTLY waits for it.

    Args:
        connection: A connection for this alone, to any database of the server.
        name: The scratch database's name, which nobody else uses.
    """
    connection.execution_options(isolation_level="READ COMMITTED").execute(_LOCK, {"name": name})
    try:
        yield
    finally:
        # Where the connection is lost, the lock is, too.
        with suppress(DBAPIError):
            connection.rollback()


def drop_leftovers(keeper: Connection) -> None:
    """Drop what killed runs have left on the server, whatever their target was.

    Args:
        keeper: A connection in autocommit.
    """
    for name in keeper.execute(_LEFTOVERS, {"prefix": PREFIX}).scalars().all():
        try:
            drop(keeper, name)
        except DBAPIError as error:
            # Another run may be dropping it, too.
            log.warning("Scratch database %s cannot be dropped: %s", name, first_line(error))
        else:
            log.info("Dropped scratch database %s, which a killed run had left", name)


def drop(keeper: Connection, name: str) -> None:
    """Drop a scratch database with whoever is connected to it, if it is there.

    Args:
        keeper: A connection in autocommit.
        name: Its name.
    """
    dropping = f"DROP DATABASE IF EXISTS {identifier(name)}"
    options = {"no_parameters": True}
    try:
        keeper.exec_driver_sql(f"{dropping} WITH (FORCE)", execution_options=options)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
            raise
        # Only a superuser may end an autovacuum by force; without it, the server does.
        keeper.exec_driver_sql(dropping, execution_options=options)


def first_line(error: Exception) -> str:
    """Return what the server says in the first line of its message."""
    return str(getattr(error, "orig", error)).partition("\n")[0]
