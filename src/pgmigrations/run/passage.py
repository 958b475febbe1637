"""What is sent from one step to the next, parsed and planned by the server once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2

from pgmigrations.migrate.core.quoting import identifier
from pgmigrations.run.ledger import Entry
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.session import in_autocommit, try_each
from pgmigrations.run.version_rows import change, change_of_parameters

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

_WRITE = identifier("pgmigrations_write")
_LOOK = identifier("pgmigrations_look")
# invalid_sql_statement_name, duplicate_prepared_statement
_FORGOTTEN = frozenset({"26000", "42P05"})


@dataclass
class Passage:
    """Writes down a step, commits it, begins the next one's transaction and has its look.

    Parsing and planning the two statements takes the server as long as running them, so that they
    are prepared where the session is this client's own. A revision may discard that, for which
    nobody can ask: the next message fails, and with it the step's transaction.

    Attributes:
        ledger: Where it is written down.
        version_table: The version table as SQL names it.
        otherwise: What the server's error says where the version rows are others.
        may_prepare: Whether a session's statements stay there for the next message.
    """

    ledger: LedgerTable
    version_table: str
    otherwise: str
    may_prepare: bool
    _is_prepared: bool = field(default=False, init=False)

    def message(self, before: str | None, after: str | None, entry: Entry, look: str) -> str:
        """Return the statements of the way from one step to the next.

        Args:
            before: The version row before; None for one that comes.
            after: The version row after; None for one that goes.
            entry: The ledger's row of the finished step.
            look: The query that the next step's transaction begins with.
        """
        if before is None or after is None or not self.may_prepare:
            written = change(self.version_table, before, after)
            inserted = self.ledger.insertion(entry, after=written, otherwise=self.otherwise)
            return f"{inserted}; COMMIT; BEGIN; {look}"
        prepared = "" if self._is_prepared else self._preparation(look)
        self._is_prepared = True
        executed = self.ledger.execution(_WRITE, entry, before, after)
        return f"{prepared}{executed}; COMMIT; BEGIN; EXECUTE {_LOOK}"

    def failed(self, error: psycopg2.Error) -> bool:
        """Take in that a message failed: from now on, nothing is prepared.

        Returns:
            Whether that is because a prepared statement was not there, or another of its name was.
        """
        was_prepared, self.may_prepare = self.may_prepare, False
        return was_prepared and error.pgcode in _FORGOTTEN

    def forget(self, connection: driver.connection) -> None:
        """Leave nothing prepared on a session, whose transaction is rolled back."""
        if not self._is_prepared or connection.closed:
            return
        self._is_prepared = False
        with suppress(psycopg2.Error):
            connection.rollback()
            with in_autocommit(connection):
                # It may never have come to them, or they are discarded.
                try_each(connection, [f"DEALLOCATE {name}" for name in (_WRITE, _LOOK)])

    def _preparation(self, look: str) -> str:
        changed = change_of_parameters(self.version_table)
        written = self.ledger.preparation(_WRITE, changed, self.otherwise)
        return f"{written}; PREPARE {_LOOK} AS {look}; "
