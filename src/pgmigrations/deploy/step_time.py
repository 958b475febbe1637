"""How long a revision may take, and whether there is time for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pgmigrations.deploy.scan import scanned_tables
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.errors import PgMigrationsError

if TYPE_CHECKING:
    from psycopg2 import extensions

    from pgmigrations.run.outcome import Coming

log = logging.getLogger("pgmigrations")

_SIZE = """
SELECT greatest(
  coalesce(pg_catalog.pg_total_relation_size(found), 0),
  (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(relid)), 0)
   FROM pg_catalog.pg_partition_tree(found))
)::float8
FROM (SELECT to_regclass(
  CASE WHEN %(schema)s = '' THEN quote_ident(%(table)s)
  ELSE format('%%I.%%I', %(schema)s, %(table)s) END
) AS found) AS one
"""
_MEGABYTE = 1 << 20


class StepTooLong(PgMigrationsError):
    """A revision would take longer than the function may run.

    Attributes:
        revision: Its id.
        seconds: The estimate.
    """

    def __init__(self, revision: str, seconds: float, limit: float) -> None:
        super().__init__(
            f"{revision} would take about {seconds:.0f} s, and a call has {limit:.0f} s for it",
            "Nothing of it was begun: run it as a container job (docs/how-to/deploy-container.md), "
            "raise the function's timeout, or raise step_rate if the server is faster",
        )
        self.revision = revision
        self.seconds = seconds


@dataclass
class StepTime:
    """Says whether there is time for a revision.

    Attributes:
        limit: The time that there is.
        rate: Megabytes of a table that the server goes through in a second; 0 for no estimate.
    """

    limit: TimeLimit
    rate: float

    def may_begin(self, coming: Coming) -> bool:
        """Whether a revision may be begun.

        Args:
            coming: The revision, and a connection for questions.

        Raises:
            StepTooLong: Not even a call that does nothing else would have the time.
        """
        if self.limit.total == float("inf"):
            return True
        seconds = estimate(coming, self.rate)
        if seconds > self.limit.total:
            raise StepTooLong(coming.revision, seconds, self.limit.total)
        if seconds > self.limit.left or self.limit.left <= 0:
            log.info("No time for %s: about %.0f s", coming.revision or "the stamp", seconds)
            return False
        return True


def estimate(coming: Coming, rate: float) -> float:
    """Seconds that a revision may take, by the size of the tables that its operations go through.

    Counts what `scanned_tables` names, each with the table's whole size. What hand-written SQL does
    is not known.

    Args:
        coming: The revision, and a connection for questions.
        rate: Megabytes per second; 0 for no estimate.
    """
    if not rate or not coming.path:
        return 0.0
    tables = scanned_tables(Path(coming.path).read_text(encoding="utf-8"))
    sizes = {one: _size(coming.connection, *one) for one in set(tables)}
    return sum(sizes[one] for one in tables) / _MEGABYTE / rate


def _size(connection: extensions.connection, schema: str, table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, {"schema": schema, "table": table})
        found = cursor.fetchone()
    return float(found[0]) if found else 0.0
