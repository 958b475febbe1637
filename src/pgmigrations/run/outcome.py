"""What a program says to a run, and what the run has done.

Names of keys in `Config.attributes`, which goes through Alembic as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

URL = "pgmigrations_url"
"""The database of this run, whatever the project's own is."""

URL_USED = "pgmigrations_url_used"
"""Set where env.py has connected to it."""

SETTINGS = "pgmigrations_settings"
"""Settings that win over alembic.ini and env.py."""

OUTCOME = "pgmigrations_outcome"
"""An `Outcome` that the run fills in."""


@dataclass(frozen=True)
class Done:
    """A revision that a run has gone through.

    Attributes:
        revision: Its id.
        status: `applied`, `reverted`, `stamped` (only recorded, since its work was there or nobody
            asked for it) or `unstamped`, as in the ledger.
        seconds: How long it took, with the waiting for others; 0 for what is only recorded.
    """

    revision: str
    status: str
    seconds: float


@dataclass(frozen=True)
class Coming:
    """A revision that a run is about to begin.

    Attributes:
        revision: Its id; empty for a stamp.
        path: Its file.
        connection: The lock's connection, for questions; in autocommit or in the lock's own
            transaction.
    """

    revision: str
    path: str
    connection: driver.connection


MayBegin: TypeAlias = Callable[[Coming], bool]
"""Says whether a revision may be begun; where it says no, the run ends before it."""


@dataclass
class Outcome:
    """What a run has done, and when it is to stop.

    Attributes:
        may_begin: Asked before each revision; None for always.
        before: The version rows that it found.
        after: Those that it left.
        done: What it went through, in order.
        remaining: The revisions that it has stopped before, in order.
        is_ahead: Whether the database was ahead of the revision files, so that nothing was run.
    """

    may_begin: MayBegin | None = None
    before: Collection[str] = ()
    after: Collection[str] = ()
    done: list[Done] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    is_ahead: bool = False

    def stops_before(self, coming: Coming) -> bool:
        """Ask whether the run ends here."""
        return self.may_begin is not None and not self.may_begin(coming)


@dataclass(frozen=True)
class Result:
    """What a run has done.

    Attributes:
        before: The version rows that it found, sorted.
        after: Those that it left, sorted.
        done: What it went through, in order; empty where there was nothing to do.
        seconds: How long it took in all.
        remaining: What `may_begin` has stopped it before, in order.
        is_ahead: Whether the database was ahead of the files, as after a roll back, and left so.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    done: tuple[Done, ...]
    seconds: float
    remaining: tuple[str, ...] = ()
    is_ahead: bool = False

    @property
    def is_changed(self) -> bool:
        """Whether the database is another one than before."""
        return bool(self.done)
