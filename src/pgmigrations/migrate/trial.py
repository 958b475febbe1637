"""Revisions that are tried on a copy of the connected database's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.copied import CopiedDatabase, NoCopy
from pgmigrations.migrate.core.alembic_private import operations_in, revision_transaction
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.execution import silenced
from pgmigrations.migrate.core.options import scope_of, settings_of
from pgmigrations.migrate.core.recording import Sent, recorded
from pgmigrations.migrate.core.report import described, named
from pgmigrations.migrate.core.snapshot import Snapshot
from pgmigrations.migrate.core.state import read_states
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.run.failure import explain
from pgmigrations.run.no_exit import no_exit
from pgmigrations.run.session_settings import settings_kept


class TrialFailed(PgMigrationsError):
    """A revision that does not run, as it was tried.

    Attributes:
        sent: What it has sent.
    """

    def __init__(self, what: str, sent: Sequence[Sent]) -> None:
        super().__init__(what)
        self.sent = sent


class Trial:
    """Runs revisions on a copy, and keeps what each has sent.

    Args:
        context: The context of the project, in which they were planned.
        copy: Where they run.
    """

    def __init__(self, context: MigrationContext, copy: Connection) -> None:
        self._copy = copy
        self._scope = scope_of(context)
        options = {**context.opts, "fn": lambda _heads, _context: [], "on_version_apply": ()}
        self._inner = MigrationContext.configure(connection=copy, opts=options)

    def run(self, work: Callable[[], object], doing: str) -> Sequence[Sent]:
        """Run a revision's upgrade() or downgrade() as a run does, in a transaction of its own.

        Args:
            work: The function.
            doing: What that is, like "in revision 003_notes".

        Raises:
            TrialFailed: It fails.
        """
        sent: Sequence[Sent] = ()
        try:
            with (
                silenced("alembic.runtime.migration", "pgmigrations"),
                operations_in(self._inner),
                revision_transaction(self._inner),
                settings_kept(self._copy),
                recorded(self._inner) as sent,
                no_exit(""),
            ):
                work()
        # Whatever a revision raises, it does not run.
        except Exception as error:
            raise TrialFailed(_in_words(error, doing), sent) from error
        return sent

    def state(self) -> Snapshot[Any]:
        """Read what is there now."""
        found = read_all(self._copy, KINDS, self._scope)
        self._copy.rollback()
        return found

    def differences(self, before: Snapshot[Any], after: Snapshot[Any]) -> list[str]:
        """Say what differs between two states, one line for each object."""
        try:
            changes = list(settled(KINDS, self._copy, before, after))
        finally:
            self._copy.rollback()
        return [f"{named(one.record)}: {described(one)}" for one in changes]


@contextmanager
def trial(context: MigrationContext) -> Iterator[Trial]:
    """Copy the schema of the connected database, and drop the copy in the end.

    The target's transaction, in which it was read, is over before anything runs on the copy.

    Args:
        context: The connected context; reading is all that its transaction needs to allow.

    Raises:
        NoCopy: The schema cannot be made once more.
    """
    connection, settings = context.connection, settings_of(context)
    assert connection is not None
    assert settings is not None
    scope = scope_of(context)
    found = read_states(connection, KINDS, scope)[0].snapshot()
    copied = CopiedDatabase(context, scope, found)
    # What is written by hand may commit by itself, and what it changes be the server's.
    copied.prefer_own_server()
    try:
        with copied() as copy:
            tried = Trial(context, copy)
            connection.rollback()
            yield tried
    except NoCopy as error:
        raise NoCopy(error.what, "Install pg_dump of the server's version") from error


def _in_words(error: Exception, doing: str) -> str:
    if isinstance(error, DBAPIError):
        return str(explain(error, doing=doing))
    said = (
        str(error) if isinstance(error, PgMigrationsError) else f"{type(error).__name__}: {error}"
    )
    return f"{doing[:1].upper()}{doing[1:]}: {said}"
