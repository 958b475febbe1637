"""The transactions of the steps: begun with limits and checks, ended with what is written down.

From one step to the next there is a single message to the server: it writes down what is done,
commits, begins the next transaction and has the next look. Whoever is killed in between leaves a
step that is committed with its row, or one that has not been.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import psycopg2
from alembic.runtime.migration import MigrationContext
from sqlalchemy import RootTransaction
from sqlalchemy.exc import SQLAlchemyError

from pgmigrations.migrate.core.alembic_private import revision_transaction
from pgmigrations.migrate.core.quoting import literal, qualified
from pgmigrations.run.ledger import Entry
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.lock import LockHeld, LockLost, RunnerLock
from pgmigrations.run.passage import Passage
from pgmigrations.run.session import rows
from pgmigrations.run.transient import SessionReset
from pgmigrations.run.version_rows import VersionMoved, change, rows_in
from pgmigrations.settings import Settings

Changes: TypeAlias = Sequence[tuple[str | None, str | None]]
"""Version rows before and after, one of which may be none."""

_MOVED = "pgmigrations: version rows changed: "
"""What the server says in an error of its own, since nothing can be asked before the commit."""


@dataclass
class Transactions:
    """Begins and ends transactions on the connection of a context.

    Attributes:
        context: Alembic's.
        settings: The project's.
        lock: The lock on the database.
        ledger: Where is written down what is done.
        statement_timeout: What the server has for the session, as SHOW prints it.
        has_version_table: Whether there is a version table.
        has_ledger: Whether there is a ledger.
    """

    context: MigrationContext
    settings: Settings
    lock: RunnerLock
    ledger: LedgerTable
    statement_timeout: str
    has_version_table: bool = False
    has_ledger: bool = False
    _left_open: ExitStack | None = field(default=None, init=False)
    _looked: tuple[Any, ...] | None = field(default=None, init=False)
    _begun: RootTransaction | None = field(default=None, init=False)
    _passage: Passage = field(init=False)

    def __post_init__(self) -> None:
        self._passage = Passage(
            self.ledger, self.version_table, _MOVED, may_prepare=not self.lock.is_pooled
        )

    @cached_property
    def version_table(self) -> str:
        """The version table as SQL names it."""
        return qualified(self.ledger.schema or None, self.ledger.version_table)

    @property
    def _driver(self) -> Any:
        assert self.context.connection is not None
        return self.context.connection.connection.dbapi_connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Work in a transaction: the one that the step before has begun, or one of its own.

        A revision that commits by itself, as a backfill in batches does, goes on in a transaction
        that nobody else knows of: it is committed, too, or taken back.
        """
        connection = self.context.connection
        assert connection is not None
        try:
            with self._left_open or ExitStack() as stack:
                if self._left_open is None:
                    stack.enter_context(revision_transaction(self.context))
                self._left_open = None
                self._begun = connection.get_transaction()
                yield
                if self._looked is not None:
                    self._left_open = stack.pop_all()
            if self._left_open is None and connection.in_transaction():
                connection.commit()
        except BaseException:
            with suppress(SQLAlchemyError, psycopg2.Error):
                connection.rollback()
            raise

    def begin(self, at: Collection[str]) -> int:
        """Set the limits of the transaction, and look at the locks and the version rows.

        Args:
            at: What the version rows should be.

        Returns:
            The server's process.

        Raises:
            LockLost: The lock's connection is gone.
            LockHeld: Another session works.
            VersionMoved: The version rows are others.
        """
        looked, self._looked = self._looked, None
        if looked is None:
            (looked,) = rows(self._driver, self._look)
        _, is_ours, is_lost, pid, found = looked
        self._refuse(is_ours=is_ours, is_lost=is_lost)
        if set(found) != set(at):
            raise VersionMoved(at, found)
        return int(pid)

    def renew(self) -> None:
        """Set the limits anew, and look at the locks, after a revision has committed a part of it.

        Raises:
            LockLost: The lock's connection is gone.
            LockHeld: Another session works.
        """
        ((_, is_ours, is_lost),) = rows(self._driver, f"SELECT {self._limits}")
        self._refuse(is_ours=is_ours, is_lost=is_lost)

    def write(self, changes: Changes, written: Sequence[Entry]) -> None:
        """Change the version rows and add to the ledger; mostly, that is one row of each."""
        connection = self.context.connection
        assert connection is not None
        if not connection.in_transaction():
            # The revision has ended its transaction, and begun no other.
            connection.begin()
            self.renew()
        statements = [change(self.version_table, *one) for one in changes]
        added = [self.ledger.insertion(one) for one in written]
        if len(statements) == len(added) == 1:
            statements, added = [self.ledger.insertion(written[0], after=statements[0])], []
        with self._driver.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                if cursor.rowcount != 1:
                    before = [one for one, _ in changes if one]
                    raise VersionMoved(before, rows_in(self._driver, self.version_table))
            for statement in added:
                cursor.execute(statement)

    def write_and_go_on(
        self, changes: Changes, written: Sequence[Entry], heads: Collection[str]
    ) -> None:
        """Write down, commit, and begin the next step's transaction, in one message if possible.

        Args:
            changes: Those of the version rows.
            written: Rows of the ledger.
            heads: The version rows after it.
        """
        if not self._can_go_on(changes, written):
            self.write(changes, written)
            return
        message = self._passage.message(*changes[0], written[0], self._look)
        try:
            (self._looked,) = rows(self._driver, message)
        except psycopg2.Error as error:
            is_forgotten = self._passage.failed(error)
            if self._driver.closed:
                raise
            found = self._rows_after_failure()
            if _MOVED in str(error):
                raise VersionMoved([one for one, _ in changes if one], found) from error
            if found != set(heads):
                if is_forgotten:
                    raise SessionReset from error
                raise
            # It is committed, and the next step has a look of its own.

    def _rows_after_failure(self) -> set[str]:
        """Read the version rows after a message failed, of which a part may be committed."""
        self._driver.rollback()
        limit = f"{self.settings.blocked_wait * 1000:.0f}"
        rows(self._driver, "SELECT pg_catalog.set_config('lock_timeout', %s, true)", (limit,))
        there = "SELECT to_regclass(%s) IS NOT NULL"
        # The first step makes it, and takes it back with itself.
        ((is_there,),) = rows(self._driver, there, (self.version_table,))
        found = rows_in(self._driver, self.version_table) if is_there else set()
        self._driver.rollback()
        return found

    def close(self) -> None:
        """Take back what a step has left open for the next, if that has not come."""
        self._looked = None
        if self._left_open is not None:
            # It has done nothing yet.
            self._driver.rollback()
            self._left_open.close()
            self._left_open = None
        with suppress(SQLAlchemyError):
            self._passage.forget(self._driver)

    def _can_go_on(self, changes: Changes, written: Sequence[Entry]) -> bool:
        """Tell whether the next transaction can be begun behind the back of driver and context."""
        connection, driver = self.context.connection, self._driver
        assert connection is not None
        return (
            len(changes) == len(written) == 1
            # They run in the step's transaction, after all else.
            and not self.context.on_version_apply_callbacks
            # The revision has neither ended it, nor left a part of it open.
            and connection.get_transaction() is self._begun
            and not connection.in_nested_transaction()
            and driver.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INTRANS
            # Else the driver's BEGIN says more.
            and (driver.autocommit, driver.isolation_level, driver.readonly, driver.deferrable)
            == (False, None, None, None)
        )

    @staticmethod
    def _refuse(*, is_ours: bool, is_lost: bool) -> None:
        if is_lost:
            raise LockLost
        if not is_ours:
            raise LockHeld([], 0)

    @property
    def _look(self) -> str:
        """Set the limits, and look at the locks, the process and the version rows."""
        found = (
            f"ARRAY(SELECT version_num::text FROM {self.version_table} FOR UPDATE)"
            if self.has_version_table
            else "ARRAY[]::text[]"
        )
        return f"SELECT {self._limits}, pg_catalog.pg_backend_pid(), {found}"

    @cached_property
    def _limits(self) -> str:
        """Set the limits of a transaction, take the lock on the work, look at the other one."""
        settings = self.settings
        limit = settings.statement_timeout
        statement_timeout = f"{limit * 1000:.0f}" if limit else self.statement_timeout
        lock_timeout = f"{max(settings.lock_timeout * 1000, 1):.0f}"
        return f"""
              pg_catalog.set_config('lock_timeout', {literal(lock_timeout)}, true)
                || pg_catalog.set_config('statement_timeout', {literal(statement_timeout)}, true)
                || pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true),
              pg_catalog.pg_try_advisory_xact_lock({self.lock.keys.work:d}),
              pg_catalog.pg_try_advisory_xact_lock_shared({self.lock.token:d})"""
