"""The ledger's table in a database: made, written and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.run.ledger import (
    APPLIED,
    COLUMNS,
    READ,
    SERVER_VALUES,
    SETTLED,
    SUFFIX,
    Entry,
    Row,
    Status,
    row,
    values_of,
)
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions as driver


@dataclass(frozen=True)
class LedgerTable:
    """`<version table>_history`.

    Attributes:
        schema: The version table's schema.
        version_table: The version table.
    """

    schema: str
    version_table: str

    @property
    def name(self) -> str:
        """Its name as SQL."""
        return qualified(self.schema or None, self.version_table + SUFFIX)

    @property
    def creation(self) -> str:
        """The statement that makes it, unless it is there."""
        return f"CREATE TABLE IF NOT EXISTS {self.name} (\n{COLUMNS}\n)"

    def insertion(self, entry: Entry, *, after: str = "", otherwise: str = "") -> str:
        """Return the statement that adds a row, with its values in it.

        Args:
            entry: The row.
            after: A statement that changes one row, and is part of this one: where it changes
                none, none is added.
            otherwise: What the server's error says where it does not change exactly one row; none
                by default.
        """
        values = {key: _literal(value) for key, value in values_of(entry).items()}
        return self._inserted(values, after, otherwise)

    def preparation(self, name: str, after: str, otherwise: str) -> str:
        """Return the statement that prepares what `execution()` runs.

        Args:
            name: What it is called in its session, quoted.
            after: As of `insertion()`; `$1` and `$2` in it are the version rows of `execution()`.
            otherwise: As of `insertion()`.
        """
        given = {key: f"${number}" for number, key in enumerate(_PARAMETERS, start=3)}
        values = {key: _literal(value) for key, value in values_of(_FINISHED).items()} | given
        types = ", ".join(("text", "text", *_PARAMETERS.values()))
        inserted = self._inserted(values, after, otherwise)
        return f"PREPARE {name} ({types}) AS {inserted}"

    @staticmethod
    def execution(name: str, entry: Entry, before: str, after: str) -> str:
        """Return the statement that adds a row as it is prepared.

        Args:
            name: What it is called in its session, quoted.
            entry: The row, without error and progress.
            before: The version row before it.
            after: The version row after it.
        """
        said = (entry.direction, entry.status, entry.duration, entry.checksum)
        given = (before, after, entry.name or entry.revision, entry.revision, *said)
        return f"EXECUTE {name} ({', '.join(map(_literal, given))})"

    def _inserted(self, values: Mapping[str, str], after: str, otherwise: str) -> str:
        values = {**values, **SERVER_VALUES}
        inserted = f"INSERT INTO {self.name} ({', '.join(map(identifier, values))})"
        said = ", ".join(values.values())
        if not after:
            return f"{inserted} VALUES ({said})"
        changed = "changed"
        if otherwise:
            # A constant would be read, and refused, before anything is counted.
            refused = f"{literal(otherwise)} || count(*)"
            one = f"CASE WHEN count(*) = 1 THEN '1' ELSE {refused} END"
            changed = f"(SELECT ({one})::int AS one FROM changed) AS counted WHERE one = 1"
        return f"WITH changed AS ({after} RETURNING 1) {inserted} SELECT {said} FROM {changed}"

    def add(self, connection: driver.connection, entry: Entry) -> None:
        """Add a row in the connection's transaction.

        Args:
            connection: A connection of psycopg2's.
            entry: What to write.
        """
        with connection.cursor() as cursor:
            cursor.execute(self.insertion(entry))

    def is_there(self, connection: driver.connection) -> bool:
        """Look for the table."""
        ((found,),) = rows(connection, "SELECT to_regclass(%s) IS NOT NULL", (self.name,))
        return bool(found)

    def latest(
        self, connection: driver.connection, among: Collection[Status] = frozenset(Status)
    ) -> dict[str, Row]:
        """Return the last row of each revision, by the revision's id.

        Args:
            connection: A connection of psycopg2's.
            among: The statuses that count.
        """
        columns, words = ", ".join(READ), ", ".join(sorted(literal(one) for one in among))
        query = (
            f"SELECT DISTINCT ON (coalesce(revision, name)) {columns} FROM {self.name} "
            f"WHERE status IN ({words}) ORDER BY coalesce(revision, name), id DESC"
        )
        return {one.revision: one for one in _read(rows(connection, query))}

    def had_and_begun(self, connection: driver.connection) -> tuple[dict[str, Row], dict[str, Row]]:
        """Return the rows of what the database has, and of what is half done, by revision.

        What another tool has run is no revision.

        Args:
            connection: A connection of psycopg2's.
        """
        if not self.is_there(connection):
            return {}, {}
        begun = {key: one for key, one in self.latest(connection).items() if one.progress}
        kept = APPLIED - {Status.ADOPTED}
        settled = self.latest(connection, SETTLED)
        had = {key: one for key, one in settled.items() if one.status in kept and key not in begun}
        return had, begun

    def last(self, connection: driver.connection, number: int) -> list[Row]:
        """Return the last rows, the oldest of them first.

        Args:
            connection: A connection of psycopg2's.
            number: How many; 0 for all.
        """
        limit = f" LIMIT {number:d}" if number else ""
        query = f"SELECT {', '.join(READ)} FROM {self.name} ORDER BY id DESC{limit}"
        return _read(rows(connection, query))[::-1]


_FINISHED = Entry("", Status.APPLIED)
"""What is left out of a prepared statement is as here."""

_PARAMETERS = {
    "name": "text",
    "revision": "text",
    "direction": "text",
    "status": "text",
    "duration": "double precision",
    "checksum": "text",
}
"""What differs from one finished step to the next, with its type."""


def _read(found: Sequence[Sequence[object]]) -> list[Row]:
    return [row(values) for values in found]


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6f}"
    return literal(str(value))
