"""Revisions of which a part is committed: nothing else may be run before they are finished."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from alembic.runtime.migration import MigrationContext

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import Step
from pgmigrations.run.ledger import Direction, Row
from pgmigrations.run.place import place_of
from pgmigrations.run.step import direction_of, revision_of


class HalfDone(PgMigrationsError):
    """A revision is half done, and the command would leave it so."""

    def __init__(self, revision: str, direction: Direction) -> None:
        way = "" if direction == Direction.UPGRADE else "The downgrade of "
        super().__init__(
            f"{way}{revision} is half done: a part of it is committed",
            f"Finish it first with alembic {direction}, or by hand and alembic stamp",
        )


def half_done(latest: Mapping[str, Row]) -> dict[str, Direction]:
    """Return the revisions that are half done, with the way they were going.

    Args:
        latest: The last row of each revision.
    """
    return {
        revision: row.direction
        for revision, row in latest.items()
        if row.progress is not None and row.direction is not None
    }


def refuse_half_done(
    context: MigrationContext, steps: Iterable[Step], known: Callable[[], Collection[str]]
) -> None:
    """Refuse what would leave a half-done revision behind.

    Args:
        context: The connected context; leaves a transaction open.
        steps: What would be run.
        known: Gives the revisions that have a file; another one cannot be finished.

    Raises:
        HalfDone: One is not among the steps.
    """
    assert context.connection is not None
    ledger = place_of(context).ledger
    driver: Any = context.connection.connection.dbapi_connection
    if not ledger.is_there(driver):
        return
    begun = half_done(ledger.latest(driver))
    if not begun:
        return
    planned = {(revision_of(step), direction_of(step)) for step in steps}
    files = known()
    for revision, direction in begun.items():
        if revision in files and (revision, direction) not in planned:
            raise HalfDone(revision, direction)
