"""What a server refuses for the moment, and may take when it is tried again."""

from __future__ import annotations

from typing import Any

from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.failure_kind import DatabaseFailure

# lock_not_available, deadlock_detected, serialization_failure
_TRY_AGAIN = frozenset({"55P03", "40P01", "40001"})
_UNIQUE_VIOLATION = "23505"
_INTERNAL_ERROR = "XX000"
# "tuple concurrently updated" and "… deleted", which the server does not translate.
_CHANGED_MEANWHILE = "tuple concurrently "


class MadeMeanwhile(PgMigrationsError):
    """Another session has made, just now, what was not there when it was looked for."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Another session has just made {what}", "Run this again")


class SessionReset(PgMigrationsError):
    """A revision has discarded what its session had prepared, so that it could not be recorded."""

    def __init__(self) -> None:
        super().__init__(
            "The revision has discarded what its session had prepared", "Run this again"
        )


def sqlstate(error: BaseException) -> str | None:
    """Return the server's code of an error, None where it has none."""
    if isinstance(error, DatabaseFailure):
        return error.sqlstate
    return getattr(getattr(error, "orig", error), "pgcode", None)


def reason_of(error: BaseException) -> str:
    """Say why something transient has failed."""
    if isinstance(error, SessionReset):
        return "it has discarded what its session had prepared"
    return "another session is in the way"


def is_transient(error: BaseException) -> bool:
    """Tell whether the same may succeed when it is tried again.

    Roles are made for all databases of a server, which no lock of one database guards: where two
    databases are migrated at once, one of them meets the other's row in a catalog.

    Args:
        error: As the driver, SQLAlchemy or `explain()` has it.
    """
    if isinstance(error, (MadeMeanwhile, SessionReset)):
        return True
    code = sqlstate(error)
    if code in _TRY_AGAIN:
        return True
    original: Any = error.__cause__ if isinstance(error, DatabaseFailure) else error
    original = getattr(original, "orig", original)
    if code == _UNIQUE_VIOLATION:
        diagnosed = getattr(original, "diag", None)
        return getattr(diagnosed, "schema_name", None) == "pg_catalog"
    return code == _INTERNAL_ERROR and _CHANGED_MEANWHILE in str(original)
