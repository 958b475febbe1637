"""A session in a scratch database that commits nothing that other databases of the server share.

It is guarded in the driver, so that nothing goes past: neither a raw cursor nor a raw commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import psycopg2
from psycopg2 import extensions as driver

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.scratch_owner import PREFIX

State: TypeAlias = Mapping[str, str]


class SharedObject(PgMigrationsError):
    """Something that is only tried would change what all databases of the server have in common."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"It changes {what}, which the server has for all databases, and is not tried there",
            "Set scratch_url in [pgmigrations] of alembic.ini to a server of its own, or to "
            "embedded where the major versions are equal",
        )


class Session(driver.connection):
    """A connection that can be guarded."""

    guard: Guard | None = None

    def commit(self) -> None:
        """Commit, unless the guard refuses."""
        if self.guard is not None:
            self.guard.look()
        super().commit()


class Cursor(driver.cursor):
    """Sends what the guard lets it."""

    connection: Session

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 -- its base's name
        """Send a statement."""

        def send() -> None:
            super(Cursor, self).execute(query, vars)

        guard = self.connection.guard
        if guard is None or self.name is not None:
            send()
        else:
            guard.run(_text(query, self), send)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Send a statement for each set of parameters."""
        for one in vars_list:
            self.execute(query, one)


class Guard:
    """Looks before each commit whether what the server has for all its databases has changed.

    What commits by itself is given a transaction, where the server runs it in one. What it does not
    is let through, unless its first words say that it is about what is shared. After a block that
    commits itself it is told what is different.

    Args:
        session: The guarded session.
        outside: Reads the state as another session sees it.
    """

    def __init__(self, session: Session, outside: Callable[[], State]) -> None:
        self._session = session
        self._outside = outside
        self._known = outside()

    def look(self) -> None:
        """Look before a commit.

        Raises:
            SharedObject: Something is changed.
        """
        if self._session.info.transaction_status != driver.TRANSACTION_STATUS_INTRANS:
            return
        if self._ask("SELECT pg_catalog.pg_current_xact_id_if_assigned()")[0][0] is None:
            return
        # A deferred trigger runs only when it is too late to look.
        self._say("SET CONSTRAINTS ALL IMMEDIATE")
        if self._ask(_SETS_PASSWORD):
            raise SharedObject("a role")
        last = None
        for _ in range(_TRIES):
            own = read_state(self._ask)
            if own == self._known:
                return
            # Another session may have committed it, and go on: what is its own stays as it is.
            self._known = self._outside()
            if last == (own, self._known):
                break
            last = own, self._known
        changed = _difference(own, self._known)
        if changed:
            raise SharedObject(changed)

    def run(self, text: str, send: Callable[[], None]) -> None:
        """Send a statement.

        Args:
            text: The statement, for its first words.
            send: Sends it.

        Raises:
            SharedObject: It changes something, or ends a transaction that has.
        """
        words = [*first_words(text)]
        if not self._commits_by_itself():
            if not _ENDING.isdisjoint(words):
                self.look()
            if len(words) > 1:
                self._told(send)
            else:
                send()
        elif _BEGINNING.isdisjoint(words[:1]):
            self._run_apart(text, send)
        else:
            send()

    def _run_apart(self, text: str, send: Callable[[], None]) -> None:
        self._say("BEGIN")
        try:
            send()
            self.look()
        except psycopg2.Error as error:
            self._undo()
            if error.pgcode == _INVALID_TERMINATION:
                self._told(send)
                return
            if error.pgcode != _ACTIVE_TRANSACTION:
                raise
            if any(_OF_SERVER.match(one) for one in first_words(text, 2)):
                raise SharedObject("a database, tablespace, subscription or setting") from None
            send()
        except BaseException:
            self._undo()
            raise
        else:
            if not self._is_idle():
                self._say("COMMIT")

    def _told(self, send: Callable[[], None]) -> None:
        """Send what may commit before it can be looked at, and tell what is different then."""
        before = self._outside()
        send()
        if not self._is_idle():
            return
        self._known = self._outside()
        changed = _difference(before, self._known)
        if changed:
            log.warning(
                "While a trial committed by itself, %s has changed, which the server has for all "
                "databases: look whether that was another session",
                changed,
            )

    def _commits_by_itself(self) -> bool:
        # After a COMMIT that was sent as a statement, psycopg2 sends no BEGIN.
        is_own = self._session.autocommit or self._session.status == driver.STATUS_BEGIN
        return bool(is_own) and self._is_idle()

    def _is_idle(self) -> bool:
        return bool(self._session.info.transaction_status == driver.TRANSACTION_STATUS_IDLE)

    def _undo(self) -> None:
        if not self._session.closed and not self._is_idle():
            self._say("ROLLBACK")

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with driver.cursor(self._session) as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _say(self, statement: str) -> None:
        with driver.cursor(self._session) as cursor:
            cursor.execute(statement)


def read_state(ask: Callable[[str], list[tuple[Any, ...]]]) -> State:
    """Read a digest of each catalog that all databases share; of scratch databases nothing.

    Args:
        ask: Runs a query.
    """
    ((version,),) = ask("SELECT current_setting('server_version_num')::int")
    parts = [
        f"SELECT '{what}', pg_catalog.md5(coalesce(pg_catalog.string_agg(one, ',' ORDER BY one),"
        f" '')) FROM (SELECT {row}::text FROM pg_catalog.{source}) x (one)"
        for what, since, row, source in _CATALOGS
        if version >= since
    ]
    return dict(ask("\nUNION ALL ".join(parts)))


def first_words(text: str, count: int = 1) -> Iterator[str]:
    """Yield how each statement of a text begins, in upper case.

    Args:
        text: SQL.
        count: How many words of each.
    """
    text += ";"
    words: list[str] = []
    depth = place = 0
    while place < len(text):
        pattern = _IN_COMMENT if depth else _TOKEN if len(words) < count else _REST
        found = pattern.match(text, place)
        assert found is not None
        place, token = found.end(), found.group()
        # Comments are within each other (PostgreSQL manual, 4.1.5).
        depth = max(0, depth + (token == "/*") - (token == "*/"))
        if depth or token.isspace() or token == "*/" or token.startswith("--"):
            continue
        if token == ";":
            if words:
                yield " ".join(words)
            words = []
        elif len(words) < count:
            words.append(token.upper())


def _difference(one: State, other: State) -> str:
    return ", ".join(sorted(name for name in one if one[name] != other.get(name)))


def _text(query: Any, cursor: driver.cursor) -> str:
    if isinstance(query, bytes):
        return query.decode(driver.encodings[cursor.connection.encoding], "replace")
    return query if isinstance(query, str) else str(query.as_string(cursor))


_TRIES = 1000
_ACTIVE_TRANSACTION, _INVALID_TERMINATION = "25001", "2D000"
_ENDING = {"COMMIT", "END", "PREPARE"}
_BEGINNING = {"BEGIN", "START"}
_QUOTED = r"""
      --[^\n\r]* | /\* | \*/
    | \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
"""
_TOKEN = re.compile(rf"{_QUOTED} | \w+ | \s+ | .", re.VERBOSE | re.DOTALL)
# A query of the catalogs has fifteen thousand tokens, which do not matter one by one.
_REST = re.compile(rf"{_QUOTED} | (?: [^;'\"$/*eE-] | [eE](?!') )+ | .", re.VERBOSE | re.DOTALL)
_IN_COMMENT = re.compile(r"/\* | \*/ | [^/*]+ | .", re.VERBOSE | re.DOTALL)
# All that PostgreSQL runs outside a transaction only, and that is not in one database.
_OF_SERVER = re.compile(
    "ALTER SYSTEM|(CREATE|ALTER|DROP) (DATABASE|TABLESPACE|SUBSCRIPTION)", re.IGNORECASE
)
# Whoever alters a role keeps the lock; pg_roles hides the password.
_SETS_PASSWORD = """
SELECT FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND database = 0
  AND mode = 'RowExclusiveLock' AND relation = 'pg_catalog.pg_authid'::pg_catalog.regclass"""
_OF_OTHERS = f"NOT IN (SELECT oid FROM pg_catalog.pg_database WHERE datname ^@ '{PREFIX}')"
_CATALOGS = (
    ("a role", 0, "r", "pg_roles r"),
    ("a membership", 0, "m", "pg_auth_members m"),
    (
        "a database",
        0,
        "(oid, datname, datdba, datistemplate, datallowconn, datconnlimit, dattablespace, datacl)",
        f"pg_database WHERE oid {_OF_OTHERS}",
    ),
    ("a tablespace", 0, "t", "pg_tablespace t"),
    (
        "a setting of a role or database",
        0,
        "s",
        f"pg_db_role_setting s WHERE setdatabase {_OF_OTHERS}",
    ),
    ("a comment", 0, "d", f"pg_shdescription d WHERE objoid {_OF_OTHERS}"),
    ("a security label", 0, "l", f"pg_shseclabel l WHERE objoid {_OF_OTHERS}"),
    ("a replication origin", 0, "o", "pg_replication_origin o"),
    ("a subscription", 0, "(oid, subdbid, subname, subowner, subenabled)", "pg_subscription"),
    ("a privilege on a setting", 150000, "p", "pg_parameter_acl p"),
)
