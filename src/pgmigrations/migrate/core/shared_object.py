"""What all databases of a server have in common, and no scratch database may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from pgmigrations.migrate.core.guarded_session import (
    Cursor,
    Guard,
    Session,
    SharedObject,
    read_state,
)

_IS_SHARED = "pgmigrations_is_on_shared_server"


@contextmanager
def own_alone(scratch: Connection, keeper: Connection) -> Iterator[None]:
    """Let nothing be committed that the server has once for all its databases, like a role.

    Args:
        scratch: A connection to a scratch database on a server that has others.
        keeper: Another connection to the server, in autocommit.
    """

    def outside(query: str) -> list[tuple[object, ...]]:
        found = keeper.exec_driver_sql(query, execution_options={"no_parameters": True})
        return [tuple(row) for row in found]

    session: Any = scratch.connection.dbapi_connection
    assert isinstance(session, Session)
    scratch.info[_IS_SHARED] = True
    session.guard = Guard(session, lambda: read_state(outside))
    session.cursor_factory = Cursor
    try:
        yield
    finally:
        session.guard = None


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
