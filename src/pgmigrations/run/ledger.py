"""`<version table>_history`: what was run on a database, when, by whom, and how it ended.

Rows are only ever added. The first three columns are those of node-pg-migrate's own table, which
becomes this one when its database is adopted.
"""

from __future__ import annotations

import enum
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "alembic-pgmigrations"
SUFFIX = "_history"

COLUMNS = """\
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    run_on timestamp without time zone NOT NULL,
    revision varchar(255),
    direction text,
    status text NOT NULL,
    duration double precision,
    checksum text,
    application_name text,
    db_user text,
    host text,
    tool_version text,
    error text,
    progress text"""


class Status(enum.StrEnum):
    """What became of a revision."""

    STARTED = "started"
    """A part of it is committed; as the latest row of a revision: half done."""
    APPLIED = "applied"
    FAILED = "failed"
    REVERTED = "reverted"
    STAMPED = "stamped"
    """Recorded without being run."""
    UNSTAMPED = "unstamped"
    """No longer recorded, without being undone."""
    ADOPTED = "adopted"
    """Run by another tool, whose table this was."""
    REPAIRED = "repaired"
    """The changed code of an applied revision was accepted."""


SETTLED = frozenset(Status) - {Status.STARTED, Status.FAILED}
"""What a revision is left as; a row of another status says how an attempt went."""

APPLIED = frozenset({Status.APPLIED, Status.STAMPED, Status.ADOPTED, Status.REPAIRED})
"""What says that a database has a revision, as its settled row."""


class Direction(enum.StrEnum):
    """Which of a revision's two functions was run."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


@dataclass(frozen=True)
class Entry:
    """One row to be written.

    Attributes:
        revision: The revision's id.
        status: What became of it.
        name: The stem of its file.
        direction: Which way it was run; None where nothing was.
        duration: Seconds that it took.
        checksum: Of the revision's code.
        error: The first line of what went wrong.
        progress: How much of it is committed; see `Progress`.
    """

    revision: str
    status: Status
    name: str = ""
    direction: Direction | None = None
    duration: float | None = None
    checksum: str | None = None
    error: str | None = None
    progress: str | None = None


@dataclass(frozen=True)
class Row(Entry):
    """One row as it is read.

    Attributes:
        id: Its number.
        run_on: When it was written, in the server's time zone.
        application_name: The session's.
        db_user: The session's role.
        host: The machine of the run.
        tool_version: The version of this package.
    """

    id: int = 0
    run_on: datetime = datetime.min
    application_name: str | None = None
    db_user: str | None = None
    host: str | None = None
    tool_version: str | None = None


READ = (
    "revision",
    "status",
    "name",
    "direction",
    "duration",
    "checksum",
    "error",
    "progress",
    "id",
    "run_on",
    "application_name",
    "db_user",
    "host",
    "tool_version",
)
"""The columns in the order of `Row`'s arguments."""


def row(values: Sequence[object]) -> Row:
    """Make a row of the values of `READ`.

    A row of node-pg-migrate's has no revision: its name is one.
    """
    given = dict(zip(READ, values, strict=True))
    given["revision"] = given["revision"] or given["name"]
    given["status"] = Status(str(given["status"]))
    given["direction"] = Direction(str(given["direction"])) if given["direction"] else None
    return Row(**given)  # type: ignore[arg-type]


def values_of(entry: Entry) -> dict[str, object]:
    """Return what a row holds, by column, but for what the server knows best."""
    return {
        "name": entry.name or entry.revision,
        "revision": entry.revision,
        "direction": str(entry.direction) if entry.direction else None,
        "status": str(entry.status),
        "duration": entry.duration,
        "checksum": entry.checksum,
        "host": host(),
        "tool_version": tool_version(),
        "error": entry.error,
        "progress": entry.progress,
    }


SERVER_VALUES = {
    "run_on": "clock_timestamp()::timestamp",
    "application_name": "current_setting('application_name')",
    "db_user": "session_user",
}
"""What the server fills in, as SQL."""


@cache
def tool_version() -> str:
    """Return this package's version, as it is installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return ""


@cache
def host() -> str:
    """Return the name of the machine, or of the Lambda function, that this runs on."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or socket.gethostname()
