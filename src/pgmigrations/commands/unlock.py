"""`pgmigrations unlock`: end the session that holds the lock."""

from __future__ import annotations

import sys

from alembic.config import Config
from alembic.util import CommandError

from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.run.lock import LockKeys, lock_holders
from pgmigrations.run.session import rows


def unlock(config: Config, *, yes: bool = False) -> None:
    """Name who holds the lock, ask, and end that session.

    The lock goes with its session by itself; this is for one that hangs. What it had under way is
    taken back by the server. Emits `pg_terminate_backend()`.

    Args:
        config: Alembic's configuration of the project.
        yes: Do not ask.

    Raises:
        CommandError: The role may not end the session, or nobody was there to answer.
    """

    def end(project: OpenProject) -> None:
        driver = project.driver
        database = rows(driver, "SELECT current_database()::text")[0][0]
        keys = LockKeys.of(database, project.ledger.schema, project.ledger.version_table)
        holders = {
            one.pid: one for key in (keys.runner, keys.work) for one in lock_holders(driver, key)
        }
        if not holders:
            print("Nobody holds the lock")
            return
        for holder in holders.values():
            print(f"The lock is held by {holder}")
        if not yes and not _agreed():
            raise CommandError("Nothing was ended. To end the session without a question: --yes")
        for pid in holders:
            try:
                rows(driver, "SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
            except Exception as error:
                said = str(error).strip().partition("\n")[0]
                raise CommandError(
                    f"Session {pid} was not ended: {said}. Use its own role, or one that is a "
                    "member of pg_signal_backend"
                ) from error
            print(f"Session {pid} is ended")

    with_project(config, end, writes=True)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("End it? What it has under way is taken back. [y/N] ").strip().lower() == "y"
