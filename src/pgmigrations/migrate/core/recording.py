"""What a revision really sends: each statement, the operation it is of, and the locks it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import ExecuteSQLOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from psycopg2 import extensions as driver
from sqlalchemy import Connection, event

from pgmigrations.migrate.core.alembic_private import SendingImpl, installed
from pgmigrations.migrate.core.operation import Operation

_MODES = (
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""Table locks from the weakest on (PostgreSQL manual, 13.3.1), but for what every reader takes."""
BY_HAND = "by hand"
"""Stands for the name of an operation where there is none, or `op.execute()`."""


@dataclass(frozen=True)
class Sent:
    """A statement that went to the server.

    Attributes:
        sql: As it was sent, with its parameters in it.
        operation: The name of the outermost operation, as a revision calls it; else `BY_HAND`.
        subject: What that operation is about; empty for what is written by hand.
        locks: By relation (schema and name, quoted), the strongest lock that the statement has
            added, on what was there before the revision. Not known outside of a transaction.
        in_transaction: Whether it ran in one.
        failed: Whether the server refused it.
    """

    sql: str
    operation: str
    subject: str
    locks: Mapping[str, str]
    in_transaction: bool
    failed: bool = False


@contextmanager
def recorded(context: MigrationContext) -> Iterator[list[Sent]]:
    """Note what `op.…` and hand-written code send, the looks of operations left out.

    The cursors of the driver note it, so nothing goes past.

    Args:
        context: The connected context, in its revision's transaction.

    Yields:
        The statements so far.
    """
    connection = context.connection
    assert connection is not None
    recorder = _Recorder(context, connection.connection.dbapi_connection)
    dbapi: Any = connection.connection.dbapi_connection
    outer = dbapi.cursor_factory
    dbapi.cursor_factory = recorder.cursor
    event.listen(connection, "before_cursor_execute", recorder.before_cursor_execute)
    try:
        with installed(recorder.operations):
            yield recorder.sent
    finally:
        event.remove(connection, "before_cursor_execute", recorder.before_cursor_execute)
        dbapi.cursor_factory = outer


class _Recorder:
    def __init__(self, context: MigrationContext, dbapi: Any) -> None:
        self.sent: list[Sent] = []
        self.operations = Operations(context)
        self._invoke = self.operations.invoke
        # Every operation goes this way; a subclass would not be installed behind `op.…`.
        self.operations.invoke = self.invoke  # type: ignore[method-assign]
        self._impl = context.impl
        self._dbapi = dbapi
        self._relations = {oid: (kind, name) for oid, kind, name in self._rows(_RELATIONS)}
        self._within: MigrateOperation | None = None
        self._is_ddl = False
        base = dbapi.cursor_factory or driver.cursor
        self._noting = type("NotingCursor", (_NotingCursor, base), {})

    def cursor(self, *arguments: Any, **keywords: Any) -> Any:
        """Make a cursor that notes what it sends."""
        made = self._noting(*arguments, **keywords)
        made.note = self.note
        return made

    def invoke(self, operation: MigrateOperation) -> Any:
        """Run an operation; what it runs in its turn belongs to it."""
        if self._within is not None:
            return self._invoke(operation)
        self._within = operation
        try:
            return self._invoke(operation)
        finally:
            self._within = None

    def before_cursor_execute(
        self, _: Connection, _cursor: Any, _statement: str, _parameters: Any, context: Any, _m: bool
    ) -> None:
        """Take SQLAlchemy's own DDL, such as the types of a new table, for no look."""
        self._is_ddl = bool(context is not None and context.isddl)

    def note(self, query: Any, sent: Callable[[], str], run: Callable[[], Any]) -> None:
        """Run a statement, and note it unless it is a look."""
        is_ddl, self._is_ddl = self._is_ddl, False
        is_sending = isinstance(self._impl, SendingImpl) and self._impl.is_sending
        is_look = self._within is not None and not is_sending and not is_ddl
        if is_look or query == _LEVEL:
            run()
            return
        before = self._locks()
        try:
            run()
        except BaseException:
            self._add(sent(), {}, failed=True)
            raise
        after = self._locks()
        added = {
            relation: mode for relation, mode in after.items() if mode > before.get(relation, -1)
        }
        self._add(sent(), added)

    def _add(self, sql: str, locks: Mapping[tuple[str, str], int], *, failed: bool = False) -> None:
        operation = self._within
        of_tables = {name: mode for (kind, name), mode in locks.items() if kind not in ("i", "I")}
        chosen = of_tables or {name: mode for (_, name), mode in locks.items()}
        self.sent.append(
            Sent(
                sql.strip(),
                name_of(operation) if operation is not None else BY_HAND,
                subject_of(operation) if operation is not None else "",
                {name: _said(_MODES[mode]) for name, mode in sorted(chosen.items())},
                not self._dbapi.autocommit,
                failed,
            )
        )

    def _locks(self) -> dict[tuple[str, str], int]:
        """Return the strongest lock on each relation that was there before, as its rank."""
        failed = self._dbapi.info.transaction_status == driver.TRANSACTION_STATUS_INERROR
        if failed or self._dbapi.autocommit or self._dbapi.closed:
            return {}
        found: dict[tuple[str, str], int] = {}
        for oid, mode in self._rows(_LOCKS):
            relation = self._relations.get(oid)
            if relation is not None and mode in _MODES:
                found[relation] = max(found.get(relation, -1), _MODES.index(mode))
        return found

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with driver.cursor(self._dbapi) as cursor:
            cursor.execute(query)
            return cursor.fetchall()


class _NotingCursor:
    """Sends as the class does that it is put before."""

    note: Callable[[Any, Callable[[], str], Callable[[], Any]], None]

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 -- its base's name
        """Send a statement, and note it."""
        self.note(
            query,
            lambda: _text(self, query),
            lambda: super(_NotingCursor, self).execute(query, vars),  # type: ignore[misc]
        )

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Send a statement for each set of parameters, and note each."""
        for one in vars_list:
            self.execute(query, one)


def _text(cursor: Any, query: Any) -> str:
    sent = cursor.query or query
    if isinstance(sent, bytes):
        return sent.decode(driver.encodings[cursor.connection.encoding], "replace")
    return str(sent)


_LEVEL = "show transaction isolation level"
"""What SQLAlchemy asks before it begins an autocommit block."""
_RELATIONS = """
SELECT c.oid, c.relkind::text, pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_LOCKS = """
SELECT relation, mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted
"""


def name_of(operation: MigrateOperation) -> str:
    """Return the name by which a revision calls an operation; Alembic's classes are named so."""
    if isinstance(operation, Operation):
        return operation.operation_name
    if isinstance(operation, ExecuteSQLOp):
        return BY_HAND
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(operation).__name__.removesuffix("Op")).lower()


def subject_of(operation: MigrateOperation) -> str:
    """Return what an operation is about, as messages call it."""
    if isinstance(operation, Operation):
        return operation.subject
    known = vars(operation)
    table = known.get("table_name") or known.get("source_table")
    table = table if table is not None else getattr(known.get("table"), "name", None)
    place = ".".join(str(one) for one in (known.get("schema"), table) if one)
    column = known.get("column_name") or getattr(known.get("column"), "name", None)
    if column:
        return f"column {place}.{column}"
    for kind in ("index", "constraint"):
        name = known.get(f"{kind}_name")
        if name:
            return f"{kind} {name} on {place}" if place else f"{kind} {name}"
    return f"table {place}" if place else ""


def _said(mode: str) -> str:
    """Write a lock mode as the manual does: ACCESS EXCLUSIVE."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()
