"""`pgmigrations unlock`: end the session that holds the lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg2
from alembic.config import Config
from alembic.util import CommandError

from pgmigrations.commands.project import OpenProject, agreed, with_project
from pgmigrations.run.lock import lock_holders
from pgmigrations.run.session import Session, rows, sessions

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

_PATIENCE = 10.0


def unlock(
    config: Config, *, yes: bool = False, tell: Callable[[str], None] = print
) -> list[Session]:
    """Name who holds the lock, ask, and end that session.

    The lock goes with its session by itself; this is for one that hangs. What it had under way is
    taken back by the server. Emits `pg_terminate_backend()`.

    Args:
        config: Alembic's configuration of the project.
        yes: Do not ask.
        tell: Called with what a person wants to know, a line each.

    Returns:
        The sessions that were ended.

    Raises:
        CommandError: The role may not end the session, it did not end within 10 seconds, or nobody
            was there to answer.
    """

    def end(project: OpenProject) -> list[Session]:
        driver = project.driver
        both = (project.place.keys.runner, project.place.keys.work)
        holders = {one.pid: one for key in both for one in lock_holders(driver, key)}
        if not holders:
            tell("Nobody holds the lock")
            return []
        for holder in holders.values():
            tell(f"The lock is held by {holder}")
        if not yes and not agreed("End it? What it has under way is taken back."):
            raise CommandError("Nothing was ended. To end the session without a question: --yes")
        for pid in holders:
            try:
                rows(driver, "SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
            except psycopg2.Error as error:
                said = str(error).strip().partition("\n")[0]
                raise CommandError(
                    f"Session {pid} was not ended: {said}. Use its own role, or one that is a "
                    "member of pg_signal_backend"
                ) from error
            _wait_for_end(driver, pid)
            tell(f"Session {pid} is ended")
        return list(holders.values())

    return with_project(config, end, writes=True)


def _wait_for_end(connection: driver.connection, pid: int) -> None:
    limit = time.monotonic() + _PATIENCE
    while sessions(connection, [pid]):
        if time.monotonic() > limit:
            raise CommandError(f"Session {pid} was told to end, and has not within 10 s")
        # Else the view stays as it was first seen.
        connection.rollback()
        time.sleep(0.1)
