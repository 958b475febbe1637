"""One class per failure, each with a message that says what to do.

These classes import nothing, so that the parts that need no Alembic stay quick to load. Where a
failure reaches Alembic's command line, `pgmigrations.migrate.env` turns it into a `CommandError`.
"""

from __future__ import annotations


class PgMigrationsError(Exception):
    """A failure that a person can act on.

    Args:
        what: What went wrong, and with which object; one line.
        hint: What to do about it; one line, empty when `what` says it.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}" if self.hint else self.what
