"""What all databases of a server have in common, and no scratch database may change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import STATUS_BEGIN, TRANSACTION_STATUS_IDLE
from sqlalchemy import Connection, event

from pgmigrations.errors import PgMigrationsError

_IS_SHARED = "pgmigrations_is_on_shared_server"


class SharedObject(PgMigrationsError):
    """Something that is only tried would change what all databases of the server have in common."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"It changes {what}, which the server has for all databases, and is not tried there",
            "Set scratch_url in [pgmigrations] of alembic.ini to a server of its own, or to "
            "embedded where the major versions are equal",
        )


@contextmanager
def own_alone(scratch: Connection) -> Iterator[None]:
    """Let nothing be committed that the server has once for all its databases, like a role.

    What commits by itself is first run in a transaction that is rolled back.

    Args:
        scratch: A connection to a scratch database on a server that has others.
    """

    def before_commit(connection: Connection) -> None:
        query = connection.exec_driver_sql(_CHANGED, execution_options={"no_parameters": True})
        _refuse(query.scalar_one_or_none())

    def before_statement(
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        is_many: bool,
    ) -> None:
        if _commits_by_itself(cursor.connection):
            given = parameters[0] if is_many else parameters
            without = context is not None and context.execution_options.get("no_parameters")
            _rehearse(cursor.connection, statement, None if without and not given else given)
        elif _ENDING.match(statement):
            cursor.execute(_CHANGED)
            _refuse(cursor.fetchone()[0])

    scratch.info[_IS_SHARED] = True
    event.listen(scratch, "commit", before_commit)
    event.listen(scratch, "before_cursor_execute", before_statement)
    try:
        yield
    finally:
        event.remove(scratch, "before_cursor_execute", before_statement)
        event.remove(scratch, "commit", before_commit)


def _refuse(changed: str | None) -> None:
    if changed:
        raise SharedObject(changed)


def _commits_by_itself(dbapi: Any) -> bool:
    """Tell whether the next statement is a transaction of its own."""
    if dbapi.info.transaction_status != TRANSACTION_STATUS_IDLE:
        return False
    # After a COMMIT that was sent as a statement, psycopg2 sends no BEGIN.
    return bool(dbapi.autocommit or dbapi.status == STATUS_BEGIN)


def _rehearse(dbapi: Any, statement: str, parameters: Any) -> None:
    """Run a statement and take it back; what no transaction can hold is told by its words.

    Raises:
        SharedObject: It changes what all databases share, or ends transactions itself.
    """
    with dbapi.cursor() as cursor:
        try:
            cursor.execute("BEGIN")
            cursor.execute(statement, parameters)
            cursor.execute(_CHANGED)
            changed = cursor.fetchone()[0]
        except psycopg2.Error as error:
            changed = None
            if error.pgcode == _ACTIVE_TRANSACTION and _OF_SERVER.match(statement):
                changed = "a database, tablespace, subscription or setting"
            elif error.pgcode == _INVALID_TERMINATION:
                changed = "something by a COMMIT of its own, maybe what"
        finally:
            if not dbapi.closed:
                cursor.execute("ROLLBACK")
    _refuse(changed)


_ACTIVE_TRANSACTION, _INVALID_TERMINATION = "25001", "2D000"
_SPACE = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_ENDING = re.compile(rf"{_SPACE}(?:COMMIT|END|PREPARE{_SPACE}TRANSACTION)\b", re.I | re.S)
# All that PostgreSQL runs outside a transaction only, and that is not in one database.
_OF_SERVER = re.compile(
    rf"{_SPACE}(?:ALTER{_SPACE}SYSTEM|(?:CREATE|ALTER|DROP){_SPACE}"
    r"(?:DATABASE|TABLESPACE|SUBSCRIPTION))\b",
    re.I | re.S,
)


def refuse_shared(connection: Connection, subject: str) -> None:
    """Refuse a change to what is shared, on a server that is not the scratch database's own.

    Args:
        connection: Where it would be made.
        subject: What would be changed.

    Raises:
        SharedObject: It is such a connection.
    """
    if connection.info.get(_IS_SHARED):
        raise SharedObject(subject)


# Whoever changes such a catalog keeps the lock on it; pg_shdepend is written for any object, and
# the scratch database's own row goes with it.
_CHANGED = """
SELECT pg_catalog.string_agg(DISTINCT relation::pg_catalog.regclass::text, ', ')
FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND database = 0
  AND mode = 'RowExclusiveLock' AND relation <> 'pg_catalog.pg_shdepend'::pg_catalog.regclass
  AND (relation <> 'pg_catalog.pg_database'::pg_catalog.regclass OR EXISTS (
    SELECT FROM pg_catalog.pg_database d
    WHERE d.xmin::text = (pg_catalog.pg_current_xact_id()::text::numeric % 4294967296)::text
      AND d.datname <> pg_catalog.current_database()))
"""


USED_ELSEWHERE = """
WITH RECURSIVE acting (oid) AS (
  SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = {role}
  UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN acting a ON a.oid = m.member)
SELECT d.datname
FROM acting a
JOIN pg_catalog.pg_shdepend s
  ON s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = a.oid
JOIN pg_catalog.pg_database d ON d.oid = CASE s.classid
  WHEN 'pg_catalog.pg_database'::pg_catalog.regclass THEN s.objid ELSE s.dbid END
WHERE d.datname <> pg_catalog.current_database()"""
"""Query for the other databases in which a role, or one that it is a member of, owns something or
may do something; `{role}` is a literal or a parameter."""
