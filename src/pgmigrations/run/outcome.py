"""What a program says to a run, and what the run has done.

Names of keys in `Config.attributes`, which goes through Alembic as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

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


@dataclass
class Outcome:
    """What a run has done.

    Attributes:
        before: The version rows that it found.
        after: Those that it left.
        done: What it went through, in order.
    """

    before: Collection[str] = ()
    after: Collection[str] = ()
    done: list[Done] = field(default_factory=list)
