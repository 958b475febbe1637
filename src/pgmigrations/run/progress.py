"""How far a revision has come whose work does not fit into one transaction.

What must run outside of a transaction (a new enum label, CREATE INDEX CONCURRENTLY) commits all
that came before it. Each such commit also writes how many of the revision's operations are done;
when the revision is run again, those are passed over, whatever they are, so that nothing is done
twice. The operation that was under way looks for itself what is left to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from alembic.operations import Operations
from alembic.operations.ops import (
    CreateIndexOp,
    CreateTableOp,
    DropIndexOp,
    MigrateOperation,
)
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, ExceptionContext, event

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import installed
from pgmigrations.migrate.core.execution import log
from pgmigrations.run.heard_connection import HeardConnection
from pgmigrations.run.said import words_of
from pgmigrations.run.session_settings import SessionSettings
from pgmigrations.run.transient import sqlstate


class RevisionChanged(PgMigrationsError):
    """A revision of which a part is committed has another beginning now."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"Its first {count} operations are committed, and are others now: the file has "
            "changed, or what it sends depends on the rows, and nobody can tell what is left to do",
            "Bring that part of the file back; or, if all of it may be run once more, forget what "
            "is done: alembic stamp <the revision before>; or finish it by hand, and record it: "
            "alembic stamp <revision>",
        )


@dataclass(frozen=True)
class Progress:
    """How many operations of a revision are committed.

    Attributes:
        count: Operations from the first on.
        digest: Of what they are, so that another beginning is noticed.
    """

    count: int = 0
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.count}:{self.digest}"

    @classmethod
    def parse(cls, text: str | None) -> Progress:
        """Read what `str()` wrote; nothing is the beginning."""
        count, _, digest = (text or "0:").partition(":")
        return cls(int(count), digest)

    def after(self, words: Iterable[str]) -> Progress:
        """Return the progress with one more operation done, which the words describe."""
        said = "\0".join([self.digest, *words])
        digest = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return Progress(self.count + 1, digest)


def _look_first(operation: MigrateOperation) -> None:
    """Let an operation that was under way look whether it is done.

    What runs in a transaction is done and counted, or it is neither.
    """
    if not isinstance(operation, (CreateIndexOp, DropIndexOp)):
        return
    if operation.kw.get("postgresql_concurrently"):
        flag = "if_exists" if isinstance(operation, DropIndexOp) else "if_not_exists"
        setattr(operation, flag, True)


class Counter:
    """Alembic's operations, counted; those that an earlier run has committed are passed over.

    What hand-written code sends past them, by `op.get_bind()`, is counted, too. Its answer may be
    needed, so it is sent again where it is committed already, and taken back.
    """

    def __init__(self, context: MigrationContext, committed: Progress | None) -> None:
        self.migration_context = context
        self.operations = Operations(context)
        self._invoke = self.operations.invoke
        # Every operation goes this way; a subclass would not be installed behind `op.…`.
        self.operations.invoke = self.invoke  # type: ignore[method-assign]
        self.committed = committed or Progress()
        self.is_resumed = committed is not None
        self.done = Progress()
        self._is_within = False
        self._has_savepoint = False
        self._said: tuple[str, Any] | None = None
        self._given_up: dict[str, BaseException] = {}

    @property
    def is_passing(self) -> bool:
        """Whether what runs now is committed already."""
        return self.done.count < self.committed.count

    def invoke(self, operation: MigrateOperation) -> Any:
        """Run an operation, unless it is committed already."""
        if self._is_within:
            return self._invoke(operation)
        if self.is_passing:
            self._count(words_of(operation))
            if isinstance(operation, CreateTableOp):
                return operation.to_table(self.migration_context)
            return None
        words = list(words_of(operation))
        if self.is_resumed and self.done.count == self.committed.count:
            _look_first(operation)
        self._is_within = True
        try:
            result = self._invoke(operation)
        finally:
            self._is_within = False
        self._count(words)
        return result

    def before_statement(
        self,
        _: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        many: bool,
    ) -> tuple[str, Any]:
        """Send nothing where it cannot be sent a second time."""
        if not self._is_within:
            self._said = (statement, parameters)
        passing = self.is_passing and not self._is_within
        if passing and not self._can_be_repeated(statement, parameters, many):
            return "SELECT NULL WHERE false", ()
        return statement, parameters

    def after_statement(
        self, _: Connection, _cursor: Any, statement: str, parameters: Any, *_arguments: Any
    ) -> None:
        """Count a statement that is no operation's."""
        self._given_up.pop(statement, None)
        if not self._is_within:
            said, self._said = self._said or (statement, parameters), None
            self._count(["statement", *map(str, said)])

    def failed(self, statement: str, error: BaseException) -> None:
        """Remember what has waited for a lock as long as the run lets it."""
        # NOWAIT has the same SQLSTATE, and is answered elsewhere.
        diagnosed = getattr(error, "diag", None)
        if sqlstate(error) == _LOCK_NOT_AVAILABLE and (
            getattr(diagnosed, "source_function", None) == _WAITED
        ):
            self._given_up[statement] = error

    def refuse_given_up(self) -> None:
        """Refuse to go on without a statement whose failure the revision has caught.

        It asks for what it does when something is wrong, not when somebody else is in the way for
        a moment; without a limit, it would have waited.
        """
        for error in self._given_up.values():
            raise error

    def before_commit(self) -> None:
        """Let nothing of what was sent a second time stay, nor what lacks a statement."""
        self.refuse_given_up()
        self._take_back()

    def _count(self, words: Iterable[str]) -> None:
        was_passing = self.is_passing
        self.done = self.done.after(words)
        if was_passing and not self.is_passing:
            if self.done.digest != self.committed.digest:
                raise RevisionChanged(self.committed.count)
            self._take_back()
            log.info("Passed over %s operations that are committed already", self.committed.count)

    @property
    def _driver(self) -> Any:
        assert self.migration_context.connection is not None
        return self.migration_context.connection.connection.dbapi_connection

    def _take_back(self) -> None:
        if self._has_savepoint:
            self._has_savepoint = False
            _send(self._driver, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")

    def _can_be_repeated(self, statement: str, parameters: Any, many: bool) -> bool:
        driver = self._driver
        if driver.autocommit:
            return _only_reads(driver, statement, parameters, many)
        if not self._has_savepoint:
            _send(driver, f"SAVEPOINT {_SAVEPOINT}")
            self._has_savepoint = True
        _send(driver, f"SAVEPOINT {_TRIAL}")
        try:
            with driver.cursor() as cursor:
                (cursor.executemany if many else cursor.execute)(statement, parameters)
        except psycopg2.Error:
            return False
        finally:
            _send(driver, f"ROLLBACK TO SAVEPOINT {_TRIAL}")
        return True


_LOCK_NOT_AVAILABLE = "55P03"
_WAITED = "ProcessInterrupts"
"""The server's function that ends a statement at its `lock_timeout`."""

_COMMIT = re.compile(r"(?:^|;)\s*(?:COMMIT|END)\b", re.IGNORECASE)
_IDLE = psycopg2.extensions.TRANSACTION_STATUS_IDLE
_SAVEPOINT = "pgm_committed"
_TRIAL = "pgm_trial"


def _only_reads(driver: Any, statement: str, parameters: Any, many: bool) -> bool:
    """Tell whether a statement outside of a transaction reads, so that its answer can be had."""
    _send(driver, "BEGIN READ ONLY")
    try:
        with driver.cursor() as cursor:
            (cursor.executemany if many else cursor.execute)(statement, parameters)
    except psycopg2.Error:
        return False
    finally:
        _send(driver, "ROLLBACK")
    return True


def _send(driver: Any, statement: str) -> None:
    with driver.cursor() as cursor:
        cursor.execute(statement)


class Listening:
    """Hears of the statements and commits of a connection, for one counter after the other.

    Args:
        connection: The connection.
        settings: What is told of each statement, too.
    """

    def __init__(self, connection: Connection, settings: SessionSettings) -> None:
        self._connection = connection
        self.settings = settings
        self._counter: Counter | None = None
        self._record: Callable[[Progress], None] | None = None
        self._renew: Callable[[], None] | None = None
        self._recorded: list[Progress] = []
        self._has_committed = False

    def to(
        self, counter: Counter, record: Callable[[Progress], None], renew: Callable[[], None]
    ) -> None:
        """Listen for a counter, until `to_nobody()`.

        Args:
            counter: Whatever is sent, it counts.
            record: Called before each commit.
            renew: Called as each transaction begins that follows such a commit.
        """
        self._counter, self._record, self._renew, self._recorded = counter, record, renew, []
        self._has_committed = False

    def to_nobody(self) -> None:
        """Listen for no counter any more."""
        self._counter = self._record = self._renew = None

    def before_statement(
        self,
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        many: bool,
    ) -> tuple[str, Any]:
        """Let the counter have a look."""
        if self._counter is None:
            return statement, parameters
        driver: Any = connection.connection.dbapi_connection
        if not driver.autocommit and driver.info.transaction_status == _IDLE:
            assert self._renew is not None
            if driver.status == psycopg2.extensions.STATUS_BEGIN and self._has_committed:
                # By a statement, of which the driver knows nothing: what follows is in no
                # transaction, as in a block of autocommit.
                self.before_commit(connection)
            self._renew()
        self.settings.note(statement)
        return self._counter.before_statement(
            connection, cursor, statement, parameters, context, many
        )

    def after_statement(
        self, connection: Connection, cursor: Any, statement: str, *arguments: Any
    ) -> None:
        """Let the counter count."""
        if self._counter is not None:
            self._has_committed = _COMMIT.search(statement) is not None
            self._counter.after_statement(connection, cursor, statement, *arguments)

    def failed(self, context: ExceptionContext) -> None:
        """Let the counter know of a statement that has failed."""
        is_ours = context.connection is self._connection
        if self._counter is not None and is_ours and context.statement is not None:
            self._counter.failed(context.statement, context.original_exception)

    def before_commit(self, _: object = None) -> None:
        """Let the counter take back what is not to stay, and record how far it is."""
        if self._counter is None or self._record is None:
            return
        self._counter.before_commit()
        if not self._counter.is_passing and self._recorded[-1:] != [self._counter.done]:
            self._recorded.append(self._counter.done)
            self._record(self._counter.done)


@contextmanager
def listening(connection: Connection, settings: SessionSettings) -> Iterator[Listening]:
    """Listen to a connection as long as revisions are run on it.

    Args:
        connection: The connection.
        settings: Those of its session.
    """
    found = Listening(connection, settings)
    driver: Any = connection.connection.dbapi_connection
    with ExitStack() as stack:
        if isinstance(driver, HeardConnection):
            driver.before_commit = found.before_commit
            stack.callback(setattr, driver, "before_commit", None)
        for name, listener, options in (
            ("before_cursor_execute", found.before_statement, {"retval": True}),
            ("after_cursor_execute", found.after_statement, {}),
            ("commit", found.before_commit, {}),
        ):
            event.listen(connection, name, listener, **options)
            stack.callback(event.remove, connection, name, listener)
        event.listen(connection.engine, "handle_error", found.failed)
        stack.callback(event.remove, connection.engine, "handle_error", found.failed)
        yield found


@contextmanager
def counted(
    context: MigrationContext,
    committed: Progress | None,
    record: Callable[[Progress], None],
    renew: Callable[[], None],
    ear: Listening,
) -> Iterator[None]:
    """Let `op.…` count, and record the progress with each commit under way.

    Args:
        context: The connected context, in its revision's transaction.
        committed: What an earlier run, or try, has committed; None where there was none.
        record: Called with the progress, before each commit.
        renew: Called as each transaction begins that follows one.
        ear: What listens to its connection.

    Raises:
        RevisionChanged: What was committed is not what the revision begins with.
    """
    counter = Counter(context, committed)
    ear.to(counter, record, renew)
    try:
        with installed(counter.operations):
            yield
        counter.refuse_given_up()
        if counter.is_passing:
            raise RevisionChanged(counter.committed.count)
    finally:
        ear.to_nobody()
