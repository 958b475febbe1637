"""Running revisions: under the lock, each in a transaction of its own, with a row in the ledger."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import (
    Step,
    version_table_of,
)
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.heap import settled_heap
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.run.blocker import Blocker, backoff, told, unwatched, wait_for, watched
from pgmigrations.run.failure_kind import ConnectionLost, DatabaseFailure
from pgmigrations.run.interruption import cancellable, interruptible
from pgmigrations.run.ledger import Direction, Entry, Status
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.lock import LockHeld, LockLost, RunnerLock, runner_lock
from pgmigrations.run.outcome import OUTCOME, Done, Outcome
from pgmigrations.run.place import place_of
from pgmigrations.run.progress import Listening, Progress, counted, listening
from pgmigrations.run.session import rows
from pgmigrations.run.session_settings import SessionSettings
from pgmigrations.run.step import (
    begin_anew,
    checksum_of,
    coming,
    direction_of,
    entries,
    entry_of,
    label_of,
    revision_of,
)
from pgmigrations.run.transactions import Transactions
from pgmigrations.run.transient import is_transient, reason_of, sqlstate
from pgmigrations.run.version_rows import (
    VersionMoved,
    changes_of,
    named,
    version_rows,
)
from pgmigrations.run.working_session import second_session, working_session
from pgmigrations.settings import Settings

# Where Alembic says it, too.
_alembic_log = logging.getLogger("alembic.runtime.migration")


@contextmanager
def runner(context: MigrationContext) -> Iterator[Runner]:
    """Hold the lock, and run revisions.

    A signal that ends the process cancels the statement under way; the revision is taken back and
    the lock is free.

    Args:
        context: The connected context; its connection is in no transaction afterwards.

    Raises:
        LockHeld: Another run works on the database for longer than `lock_wait`.
    """
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context)
    connection.rollback()
    with interruptible(), cancellable(connection):
        try:
            second = second_session(connection)
            with (
                runner_lock(second, place.keys, wait=settings.lock_wait) as lock,
                working_session(connection, lock) as statement_timeout,
                listening(connection, _settings_of(connection, lock)) as ear,
            ):
                config = context.config
                outcome = config.attributes.get(OUTCOME) if config else None
                ledger = place.ledger
                outcome = outcome or Outcome()
                transactions = Transactions(context, settings, lock, ledger, statement_timeout)
                yield Runner(context, settings, lock, ledger, transactions, ear, outcome)
        except (KeyboardInterrupt, SystemExit):
            log.warning("Interrupted: the transaction under way is taken back; run it again")
            raise


@dataclass
class _Attempt:
    """One try of a step.

    Attributes:
        number: How many there were before.
        maintenance: Relations on which a vacuum was in the way of the one before.
        blockers: Who is in the way of this one.
    """

    number: int = 0
    maintenance: Sequence[str] = ()
    blockers: list[Blocker] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)


@dataclass
class Runner:
    """What runs revisions while the lock is held.

    Attributes:
        context: Alembic's.
        settings: The project's.
        lock: The lock, and a connection for questions.
        ledger: Where it is written down.
        transactions: What begins and ends transactions.
        ear: What listens to the context's connection.
        outcome: What has been done.
        checksums: Those that are known, by revision.
    """

    context: MigrationContext
    settings: Settings
    lock: RunnerLock
    ledger: LedgerTable
    transactions: Transactions
    ear: Listening
    outcome: Outcome
    checksums: Mapping[str, str] = field(default_factory=dict)
    _progress: dict[str, Progress] = field(default_factory=dict)
    _recognised: frozenset[str] = frozenset()
    _aside: Executor = field(init=False)

    @property
    def connection(self) -> Connection:
        """The connection that the revisions work on."""
        assert self.context.connection is not None
        return self.context.connection

    @property
    def _driver(self) -> Any:
        return self.connection.connection.dbapi_connection

    def read_progress(self) -> None:
        """Look into the ledger, if there is one, which revisions are half done."""
        there = "SELECT to_regclass(%s) IS NOT NULL"
        transactions = self.transactions
        named = (transactions.version_table,)
        ((transactions.has_version_table,),) = rows(self._driver, there, named)
        transactions.has_ledger = self.ledger.is_there(self._driver)
        self._progress = {}
        if transactions.has_ledger:
            for revision, row in self.ledger.latest(self._driver).items():
                if row.progress and row.direction:
                    self._progress[_key(revision, row.direction)] = Progress.parse(row.progress)
        self._driver.rollback()

    def run(
        self,
        steps: Sequence[Step],
        heads: Collection[str],
        recognised: Collection[str] = (),
    ) -> None:
        """Run the steps, one after the other.

        Args:
            steps: As Alembic has planned them, under the lock.
            heads: The version rows that they start from.
            recognised: Revisions whose work is there already: they are only recorded.

        Raises:
            DatabaseFailure: A revision failed; it is taken back, what came before it is kept.
            LockLost: The lock's connection is gone.
            VersionMoved: Somebody changed the version rows meanwhile.
        """
        at = set(heads)
        self._recognised = frozenset(recognised)
        self.read_progress()
        try:
            with settled_heap(), ThreadPoolExecutor(1) as self._aside:
                self._run_all(steps, at)
        finally:
            self.transactions.close()

    def _run_all(self, steps: Sequence[Step], at: set[str]) -> None:
        for number, step in enumerate(steps):
            if self.outcome.stops_before(coming(step, self.lock.connection)):
                self.outcome.remaining = [revision_of(one) for one in steps[number:]]
                return
            _alembic_log.info("Running %s", step)
            is_last = number == len(steps) - 1
            try:
                at = self._run_one(step, at, is_last=is_last)
            except Exception as error:
                if not self._is_lost(error):
                    raise
                after, _ = changes_of(self.context, step, at)
                found = version_rows(self.connection.engine, self.transactions.version_table)
                if found != after:
                    raise self._lost(error, found) from error
                log.warning("The connection was lost, but %s is done", label_of(step))
                self._tell(entries(step))
                self.outcome.after = found
                if not is_last:
                    raise self._lost(error, found) from error

    def _run_one(self, step: Step, at: set[str], *, is_last: bool) -> set[str]:
        """Run a step, as often as others are in its way."""
        attempt = _Attempt()
        end = attempt.began + self.settings.blocked_wait
        while True:
            try:
                return self._attempt(step, at, attempt, is_last=is_last)
            except Exception as error:
                left = end - time.monotonic()
                if not is_transient(error) or left <= 0:
                    self._note_failure(step, error, time.monotonic() - attempt.began)
                    raise self._blamed(error, step, attempt.blockers) from error
                reason = reason_of(error)
            self.read_progress()
            begin_anew(step)
            log.info("%s is tried again: %s", label_of(step), reason)
            attempt = self._waited(attempt, left)

    def _waited(self, attempt: _Attempt, left: float) -> _Attempt:
        """Wait until another try is worth it."""
        blockers = attempt.blockers
        maintenance = sorted({one.relation for one in blockers if one.is_maintenance} - {""})
        if blockers and not maintenance:
            wait_for(self.lock.connection, blockers, left)
        else:
            time.sleep(min(backoff(attempt.number), left))
        return _Attempt(attempt.number + 1, maintenance)

    def _attempt(self, step: Step, at: set[str], attempt: _Attempt, *, is_last: bool) -> set[str]:
        transactions = self.transactions
        watching = watched if attempt.number else unwatched
        progress = self._progress.get(_key(revision_of(step), direction_of(step)))
        # It takes as long as the server does, and is worked out while that is waited for.
        code = self._checksum_of(step)
        with transactions.transaction():
            pid = transactions.begin(at)
            with watching(self.lock.connection, pid) as seen:
                try:
                    self._make_way(attempt.maintenance)
                    self._make_tables()
                    with counted(
                        self.context, progress, self._recorder(step), transactions.renew, self.ear
                    ):
                        step.migration_fn()
                    self.ear.settings.restore()
                finally:
                    attempt.blockers = seen
            heads, changes = changes_of(self.context, step, at)
            is_run = revision_of(step) not in self._recognised
            duration = time.monotonic() - attempt.began
            written = entries(step, duration, is_run=is_run, code=code)
            if is_last:
                transactions.write(changes, written)
            else:
                transactions.write_and_go_on(changes, written, heads)
            for callback in self.context.on_version_apply_callbacks:
                callback(ctx=self.context, step=step.info, heads=set(heads), run_args={})
        self._tell(written)
        self.outcome.after = heads
        return heads

    def _checksum_of(self, step: Step) -> Callable[[], str | None] | None:
        if not isinstance(step, RevisionStep):
            return None
        known = self.checksums.get(revision_of(step))
        if known is not None:
            return lambda: known
        return self._aside.submit(checksum_of, step.revision).result

    def _tell(self, written: Sequence[Entry]) -> None:
        for one in written:
            self.outcome.done.append(Done(one.revision, str(one.status), one.duration or 0.0))

    def _make_way(self, relations: Sequence[str]) -> None:
        """Let the server end an autovacuum: it does so for who waits past deadlock_timeout."""
        for relation in relations:
            statements = (
                "SELECT set_config('lock_timeout', (extract(epoch FROM "
                "current_setting('deadlock_timeout')::interval) * 1000 + 1000)::int::text, true)",
                f"LOCK TABLE {relation} IN SHARE UPDATE EXCLUSIVE MODE",
            )
            for statement in statements:
                with self._driver.cursor() as cursor:
                    cursor.execute(statement)
        if relations:
            limit = f"{self.settings.lock_timeout * 1000:.0f}"
            rows(self._driver, "SELECT set_config('lock_timeout', %s, true)", (limit,))

    def _make_tables(self) -> None:
        """Make the version table and the ledger, where they are not there."""
        transactions = self.transactions
        if not transactions.has_version_table:
            version_table_of(self.context).create(self.connection)
        if not transactions.has_ledger:
            with self._driver.cursor() as cursor:
                cursor.execute(self.ledger.creation)
        # Where they are taken back with the step, another try looks again.
        transactions.has_version_table = transactions.has_ledger = True

    def _recorder(self, step: Step) -> Callable[[Progress], None]:
        def record(progress: Progress) -> None:
            entry = entry_of(step, Status.STARTED, progress=str(progress))
            self.ledger.add(self._driver, entry)

        return record

    def _note_failure(self, step: Step, error: Exception, duration: float) -> None:
        """Write down that a revision failed, where there is a ledger already."""
        if self._is_lost(error) or isinstance(error, (LockLost, LockHeld, VersionMoved)):
            return
        with contextlib.suppress(psycopg2.Error):
            self.connection.rollback()
            if not self.ledger.is_there(self._driver):
                self._driver.rollback()
                return
            # A piece of it may be committed since this attempt began.
            self.read_progress()
            progress = self._progress.get(_key(revision_of(step), direction_of(step)))
            entry = entry_of(
                step,
                Status.FAILED,
                duration=duration,
                error=str(error).partition("\n")[0][:1000],
                progress=str(progress) if progress else None,
            )
            rows(self._driver, "SELECT set_config('lock_timeout', '1s', true)")
            self.ledger.add(self._driver, entry)
            self._driver.commit()

    def _blamed(self, error: Exception, step: Step, blockers: list[Blocker]) -> Exception:
        """Say in one line what a failure means, and who was in the way."""
        from pgmigrations.run.failure import explain

        if isinstance(error, (psycopg2.Error, DBAPIError)):
            error = explain(error, doing=f"in {label_of(step)}")
        if sqlstate(error) != "55P03" or not isinstance(error, DatabaseFailure) or not blockers:
            return error
        with contextlib.suppress(psycopg2.Error):
            error.hint = f"{told(self.lock.connection, blockers)}: end it, or raise blocked_wait"
        return error

    def _is_lost(self, error: Exception) -> bool:
        return isinstance(error, ConnectionLost) or sqlstate(error) in _GONE or self._is_closed

    @property
    def _is_closed(self) -> bool:
        return self.connection.closed or self.connection.invalidated or bool(self._driver.closed)

    def _lost(self, error: Exception, found: set[str] | None) -> PgMigrationsError:
        from pgmigrations.run.failure import explain

        failure = explain(error)
        state = (
            "the server cannot be asked what is done"
            if found is None
            else f"the database is at {named(found)}"
        )
        failure.what = f"{failure.what}; {state}"
        return failure


def _settings_of(connection: Connection, lock: RunnerLock) -> SessionSettings:
    return SessionSettings(lambda: connection.connection.dbapi_connection, is_pooled=lock.is_pooled)


# admin_shutdown, crash_shutdown, connection_failure
_GONE = frozenset({"57P01", "57P02", "08006", "08003"})


def _key(revision: str, direction: Direction | None) -> str:
    return f"{direction}\0{revision}"
