"""The time that a deployment has, as in a Lambda function, and what may still be begun in it."""

from __future__ import annotations

import time
from collections.abc import Callable

RESERVE = 30.0
"""Seconds that are left for the end of a run: to take a revision back, and to say so.

Half of the time where there is less than a minute."""


class TimeLimit:
    """How much time is left.

    Args:
        left: Gives the seconds until the process is killed, as a function's context does; None for
            no limit.
    """

    def __init__(self, left: Callable[[], float] | None = None) -> None:
        self._left = left
        self._total = left() if left else float("inf")
        self._reserve = min(RESERVE, self._total / 2)
        self._began = time.monotonic()

    @property
    def total(self) -> float:
        """Seconds that there were in the beginning, less the reserve."""
        return self._total - self._reserve

    @property
    def left(self) -> float:
        """Seconds that are left for work; 0 or less where only the reserve is."""
        return self._left() - self._reserve if self._left else float("inf")

    def at_most(self, wanted: float) -> float:
        """Bound a wait by what is left.

        Args:
            wanted: Seconds.
        """
        return max(min(wanted, self.left), 0.0)

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began
