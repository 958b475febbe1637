"""A revision that ends the process, which would be taken for a success."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.interruption import ENDING, Ended


class RevisionExits(PgMigrationsError):
    """A revision that calls `sys.exit()`, or something that does."""

    def __init__(self, place: str, code: object) -> None:
        subject = f"{place}: it" if place else "It"
        super().__init__(
            f"{subject} ends the process (exit code {code or 0})",
            "Let it return, or raise an error that says what is wrong",
        )


@contextmanager
def no_exit(place: str | None = None) -> Iterator[None]:
    """Take it for a failure where what runs inside ends the process, unless a signal does.

    Args:
        place: Where that is, like "in revision 003_notes"; by default the file that it is in.
            Empty where the message gets it elsewhere.

    Raises:
        RevisionExits: It raises SystemExit.
    """
    try:
        yield
    except Ended:
        raise
    except SystemExit as error:
        handlers = [getattr(signal.getsignal(one), "__code__", None) for one in ENDING]
        codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
        if any(code in handlers for code in codes):
            raise
        if place is None:
            place = f"in {codes[-1].co_filename}"
        raise RevisionExits(place, error.code) from error
