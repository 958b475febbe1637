"""What all databases of a server have in common, and no scratch database may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

    Args:
        scratch: A connection to a scratch database on a server that has others.
    """

    def before_commit(connection: Connection) -> None:
        query = connection.exec_driver_sql(_CHANGED, execution_options={"no_parameters": True})
        changed = query.scalar_one_or_none()
        if changed:
            raise SharedObject(changed)

    scratch.info[_IS_SHARED] = True
    event.listen(scratch, "commit", before_commit)
    try:
        yield
    finally:
        event.remove(scratch, "commit", before_commit)


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
