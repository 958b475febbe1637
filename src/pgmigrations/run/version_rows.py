"""The version rows, where they must be asked for on a new connection."""

from __future__ import annotations

import io
import time
from collections.abc import Collection
from typing import Any

import psycopg2
from alembic.runtime.migration import HeadMaintainer, MigrationContext
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pgmigrations.migrate.core.alembic_private import Step
from pgmigrations.run.session import rows

_SERVER_MAY_BE_BACK_AFTER = 10.0


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
                found = rows(driver, f"SELECT version_num::text FROM {name}")
                return {revision for (revision,) in found}
        except (psycopg2.Error, SQLAlchemyError):
            if time.monotonic() > end:
                return None
            time.sleep(0.5)


def rows_after(step: Step, at: set[str]) -> set[str]:
    """Return the version rows that a step leaves, without a database."""
    silent = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()}
    )
    maintainer = HeadMaintainer(silent, set(at))
    maintainer.update_to_step(step)
    return set(maintainer.heads)


def named(heads: Collection[str] | None) -> str:
    """Name version rows in messages."""
    return ", ".join(sorted(heads or ())) or "the beginning"
