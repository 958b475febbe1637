"""What the models use and nobody declares, found by trying what the server could offer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.execution import send
from pgmigrations.migrate.core.kind import AnyKind

UNDEFINED = frozenset({"42704", "42883"})
"""SQLSTATEs of a type, an operator class, an access method or a function that is not there."""


def provisions(
    scratch: Connection, statement: str, kinds: Sequence[AnyKind], failure: str
) -> list[str]:
    """Find the statements that would bring what a statement lacks.

    Each is tried in the scratch database and taken back. Those of a kind's first group that help
    are preferred to those of its second, and so on.

    Args:
        scratch: In a transaction in which the statement can be tried.
        statement: What the server refuses.
        kinds: The list of `pgmigrations.migrate.kinds`.
        failure: What the server says to it; saying something else is a step forward, too.
    """
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.offered is not None:
            for group in kind.comparison.offered(scratch):
                found = [one for one in group if _helps(scratch, one, statement, failure)]
                if found:
                    return found
    return []


def _helps(scratch: Connection, offer: str, statement: str, failure: str) -> bool:
    savepoint = scratch.begin_nested()
    try:
        send(scratch, offer)
    except DBAPIError:
        savepoint.rollback()
        return False
    try:
        send(scratch, statement)
    except DBAPIError as error:
        return first_line(error) != failure
    else:
        return True
    finally:
        savepoint.rollback()


def first_line(error: DBAPIError) -> str:
    """Return what the server says, without where in the statement it says it."""
    return str(error.orig).partition("\n")[0]
