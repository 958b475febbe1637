"""The version rows, where they must be asked for on a new connection."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import psycopg2
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import HeadChanges, Step
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.run.session import rows
from pgmigrations.run.step import Stamp

_SERVER_MAY_BE_BACK_AFTER = 10.0


class VersionMoved(PgMigrationsError):
    """The version rows are not what this run left them to be."""

    def __init__(self, wanted: Collection[str], found: Collection[str]) -> None:
        super().__init__(
            f"Somebody else has moved the database: it was at {named(wanted)}, and is at "
            f"{named(found)}",
            "Look into pgmigrations log, and run this again",
        )


def version_rows(engine: Engine, name: str) -> set[str] | None:
    """Read the version rows on a new connection, after one was lost.

    Args:
        engine: Where to connect; for up to 10 seconds, since the server may be starting.
        name: The version table as SQL names it.

    Returns:
        The rows; None where they cannot be had.
    """
    end = time.monotonic() + _SERVER_MAY_BE_BACK_AFTER
    while True:
        try:
            with engine.connect() as fresh:
                driver: Any = fresh.connection.dbapi_connection
                there = "SELECT to_regclass(%s) IS NOT NULL"
                if not rows(driver, there, (name,))[0][0]:
                    return set()
                return rows_in(driver, name)
        except (psycopg2.Error, SQLAlchemyError):
            if time.monotonic() > end:
                return None
            time.sleep(0.5)


def rows_in(driver: Any, name: str) -> set[str]:
    """Read the version rows in a connection's transaction."""
    return {one for (one,) in rows(driver, f"SELECT version_num::text FROM {name}")}


def changes_of(
    context: MigrationContext, step: Step, at: Collection[str]
) -> tuple[set[str], list[tuple[str | None, str | None]]]:
    """Find out what a step changes of the version rows.

    Args:
        context: Alembic's.
        step: The step.
        at: The version rows before.

    Returns:
        The rows after; and pairs of a row before and a row after, one of which may be none.
    """
    maintainer = HeadChanges(context, at)
    for one in step.parts if isinstance(step, Stamp) else (step,):
        maintainer.update_to_step(one)
    return set(maintainer.heads), maintainer.changes


def change(name: str, before: str | None, after: str | None) -> str:
    """Write the statement that changes a version row.

    Args:
        name: The version table as SQL names it.
        before: The row before; None for one that comes.
        after: The row after; None for one that goes.
    """
    if before is None:
        return f"INSERT INTO {name} (version_num) VALUES ({literal(after or '')})"
    where = f"WHERE version_num = {literal(before)}"
    if after is None:
        return f"DELETE FROM {name} {where}"
    return f"UPDATE {name} SET version_num = {literal(after)} {where}"


def change_of_parameters(name: str) -> str:
    """Write the statement that changes a version row from `$1` to `$2`.

    Args:
        name: The version table as SQL names it.
    """
    return f"UPDATE {name} SET version_num = $2 WHERE version_num = $1"


def named(heads: Collection[str] | None) -> str:
    """Name version rows in messages."""
    return ", ".join(sorted(heads or ())) or "the beginning"
