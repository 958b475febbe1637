"""Say in one line what a driver's error means, where it happened, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable

from pgmigrations.database_url import DatabaseUrl
from pgmigrations.run.connect_failure import connect_failure
from pgmigrations.run.evidence import Evidence, clean, gather
from pgmigrations.run.failure_kind import (
    ConnectionFailure,
    ConnectionLost,
    DatabaseFailure,
    DatabaseMissing,
    DeadlockDetected,
    DependentObjects,
    DiskFull,
    ExtensionMissing,
    LockNotAvailable,
    PrivilegeMissing,
    ReadOnlyDatabase,
    ServerShuttingDown,
    ServerStarting,
    ServerUnreachable,
    StatementCancelled,
    StatementTimeout,
    TlsFailure,
    TooManyConnections,
    UnsafeEnumUse,
    WrongPassword,
)
from pgmigrations.run.privilege import privilege_missing

__all__ = [
    "ConnectionFailure",
    "ConnectionLost",
    "DatabaseFailure",
    "DatabaseMissing",
    "DeadlockDetected",
    "DependentObjects",
    "DiskFull",
    "ExtensionMissing",
    "LockNotAvailable",
    "PrivilegeMissing",
    "ReadOnlyDatabase",
    "ServerShuttingDown",
    "ServerStarting",
    "ServerUnreachable",
    "StatementCancelled",
    "StatementTimeout",
    "TlsFailure",
    "TooManyConnections",
    "UnsafeEnumUse",
    "WrongPassword",
    "explain",
]

# Extensions whose package is not called postgresql-<major>-<name>, by Debian's names.
_PACKAGES = {"vector": "pgvector", "postgis": "postgis-3", "pg_cron": "cron"}
_IN_CONTRIB = frozenset(
    {"btree_gin", "btree_gist", "citext", "cube", "dblink", "earthdistance", "file_fdw"}
    | {"fuzzystrmatch", "hstore", "intarray", "isn", "lo", "ltree", "pageinspect"}
    | {"pg_buffercache", "pg_stat_statements", "pg_trgm", "pgcrypto", "pgrowlocks"}
    | {"pgstattuple", "postgres_fdw", "seg", "sslinfo", "tablefunc", "unaccent", "uuid-ossp"}
)
_EXTENSION = (
    re.compile(r'extension "(?P<name>[^"]+)" is not available'),
    re.compile(r'control file ".*/(?P<name>[^"/]+)\.control"'),
)


def explain(
    error: BaseException, *, url: DatabaseUrl | None = None, doing: str = ""
) -> DatabaseFailure:
    """Make one clear failure of an error of psycopg2's or SQLAlchemy's.

    The message is one line and holds no password, in clear or percent-encoded. After the
    connection is made, failures are told by SQLSTATE; before that, see `connect_failure`.

    Args:
        error: What was caught; a `DatabaseFailure` is given back as it is.
        url: Where the connection went.
        doing: What was under way, like "in revision 003_add_favorites"; empty for nothing.

    Example:
        >>> explain(error, url=url, doing="in revision 004_notes")
        LockNotAvailable('Lock not available in revision 004_notes: ...')
    """
    if isinstance(error, DatabaseFailure):
        return error
    facts = gather(error, url)
    made = _made(facts)
    doing = clean(doing, url)
    if doing:
        head, colon, rest = made.what.partition(": ")
        made.what = f"{head} {doing}{colon}{rest}"
        made.args = (made.what, made.hint)
    return made


def _made(facts: Evidence) -> DatabaseFailure:
    make = _BY_SQLSTATE.get(facts.sqlstate or "")
    if make is not None:
        return make(facts)
    if facts.connecting:
        return connect_failure(facts)
    if facts.closed:
        return _connection_lost(facts)
    return _refused(facts)


def _refused(facts: Evidence) -> DatabaseFailure:
    code = f" [{facts.sqlstate}]" if facts.sqlstate else ""
    return DatabaseFailure(
        f"The database refused: {facts.primary}{code}{_more(facts)}", sqlstate=facts.sqlstate
    )


def _more(facts: Evidence, *, advice: bool = True) -> str:
    """The server's DETAIL and HINT, and the statement, in brackets; empty when there are none."""
    parts = [facts.detail.rstrip("."), facts.advice.rstrip(".") if advice else ""]
    parts.append(f"statement: {facts.statement}" if facts.statement else "")
    told = "; ".join(part for part in parts if part)
    return f" ({told})" if told else ""


def _simple(
    kind: type[DatabaseFailure], summary: str, hint: str
) -> Callable[[Evidence], DatabaseFailure]:
    def make(facts: Evidence) -> DatabaseFailure:
        what = f"{summary}: {facts.primary}{_more(facts, advice=False)}"
        return kind(what, hint, sqlstate=facts.sqlstate)

    return make


def _connection_lost(facts: Evidence) -> DatabaseFailure:
    return ConnectionLost(
        f"The connection was lost: {facts.primary}{_more(facts)}",
        "Run the command again: finished work is kept; if it happens again, look into the "
        "server's log and at time limits of proxies in between",
        sqlstate=facts.sqlstate,
    )


def _dependent_objects(facts: Evidence) -> DatabaseFailure:
    if not facts.detail:
        # Of objects the server names what depends on them, of privileges nothing.
        return DependentObjects(
            f"A grant to others depends on what is revoked: {facts.primary}",
            "Revoke first what the role has granted to others: SET ROLE to it in a revision, and "
            "REVOKE; pg_class.relacl and the like say to whom",
            sqlstate=facts.sqlstate,
        )
    return DependentObjects(
        f"Something else needs this: {facts.primary} ({'; '.join(facts.detail.split(chr(10)))})",
        "Drop what needs it earlier in the revision, with op.execute(), and create it again after; "
        "likewise in downgrade()",
        sqlstate=facts.sqlstate,
    )


def _internal_error(facts: Evidence) -> DatabaseFailure:
    if not facts.primary.startswith("could not find cast from "):
        return _refused(facts)
    # The server makes a foreign key anew with its columns, and finds no cast to anyenum.
    return DependentObjects(
        f"A foreign key on an enum, array or range column holds the other columns that it is on: "
        f"{facts.primary}{_more(facts)}",
        "Drop the foreign key earlier in the revision, with op.execute(), and add it again after; "
        "likewise in downgrade()",
        sqlstate=facts.sqlstate,
    )


def _extension_missing(facts: Evidence) -> DatabaseFailure:
    texts = f"{facts.primary} {facts.detail}"
    name = next((found["name"] for find in _EXTENSION if (found := find.search(texts))), None)
    if name is None:
        # What a view shows of a column cannot change under it.
        return _dependent_objects(facts) if " depends on " in facts.detail else _refused(facts)
    major = _major(facts)
    if name in _IN_CONTRIB:
        get = "Install PostgreSQL's contrib package (postgresql-contrib) on the server"
    else:
        get = f"Install postgresql-{major}-{_PACKAGES.get(name, name)} on the server"
    if name == "vector":
        get += f", or use the image pgvector/pgvector:pg{major}"
    return ExtensionMissing(
        f'Extension "{name}" is not installed on the server{_at(facts)}: {facts.primary}',
        f"{get}; on a managed service, allow it in the service's list of extensions",
        sqlstate=facts.sqlstate,
        subject=name,
    )


def _major(facts: Evidence) -> str:
    # A connection that was closed on the way here tells no version; Debian's folder names do.
    folder = re.search(r"/postgresql/(\d+)/", facts.detail + facts.primary)
    known = str(facts.server_version // 10000) if facts.server_version else None
    return known or (folder[1] if folder else "<major>")


def _read_only(facts: Evidence) -> DatabaseFailure:
    settings = dict(facts.settings)
    if settings["in_hot_standby"] == "on":
        why, hint = "this server is a replica", "Connect to the primary server"
    elif settings["default_transaction_read_only"] == "on":
        why = "default_transaction_read_only is on for this database, role or session"
        hint = "Turn it off (ALTER DATABASE or ALTER ROLE ... RESET), or use another role"
    else:
        why = "a replica, or default_transaction_read_only is on"
        hint = "Connect to the primary server, with a role and database that may write"
    return ReadOnlyDatabase(
        f"Read-only database{_at(facts)}: {facts.primary} ({why})",
        hint,
        sqlstate=facts.sqlstate,
    )


def _cancelled(facts: Evidence) -> DatabaseFailure:
    if "user request" in facts.primary:
        return _simple(
            StatementCancelled,
            "The statement was cancelled",
            "Somebody cancelled it; run the command again when it may run",
        )(facts)
    return _simple(
        StatementTimeout,
        "The statement took too long",
        "Raise statement_timeout for this step, or make the statement do less at once",
    )(facts)


def _cannot_connect_now(facts: Evidence) -> DatabaseFailure:
    if "shutting down" in facts.primary:
        return _simple(
            ServerShuttingDown, "The server is shutting down", "Try again when it is back"
        )(facts)
    return _simple(ServerStarting, "The server is starting up", "Try again in a moment")(facts)


def _at(facts: Evidence) -> str:
    return f" at {facts.address}" if facts.address else ""


_BY_SQLSTATE: dict[str, Callable[[Evidence], DatabaseFailure]] = {
    "0A000": _extension_missing,
    "58P01": _extension_missing,
    "2BP01": _dependent_objects,
    "XX000": _internal_error,
    "42501": privilege_missing,
    "25006": _read_only,
    "57014": _cancelled,
    "57P03": _cannot_connect_now,
    "57P01": _simple(
        ServerShuttingDown,
        "The session was ended by an administrator or by the server's shutdown",
        "Run the command again when the server is back: finished work is kept",
    ),
    "55P03": _simple(
        LockNotAvailable,
        "Lock not available",
        "Another session holds it (see pg_stat_activity and pg_locks): run again when it is "
        "done, or raise lock_timeout",
    ),
    "40P01": _simple(
        DeadlockDetected,
        "Deadlock with another session",
        "Run the command again: the other session could go on",
    ),
    "55P04": _simple(
        UnsafeEnumUse,
        "A new enum value is used too early",
        "Use it in a revision of its own, after the one that adds it",
    ),
    "53100": _simple(
        DiskFull, "The server's disk is full", "Free space on the server, then run again"
    ),
    "53300": _simple(
        TooManyConnections,
        "The server has no connection left",
        "Close other connections, or raise max_connections",
    ),
    **dict.fromkeys(("57P02", "57P05", "25P03", "25P04", "08003", "08006"), _connection_lost),
}
