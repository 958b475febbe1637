"""What a revision sets for its session, taken back before the next one.

SET lasts as long as the session. Without this, a revision would find what one before it has set
where both are run at once, and would not where they are run one by one, or after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from pgmigrations.migrate.core.quoting import identifier, literal
from pgmigrations.run.session import rows
from pgmigrations.run.working_session import SETTINGS

_SETTING = re.compile(
    r"(?:^|;)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SET|RESET|DISCARD)\s|\bset_config\s*\(",
    re.IGNORECASE | re.DOTALL,
)

# Neither is among pg_settings. The first takes the second away.
_ROLES = ("session_authorization", "role")

_LIMITS = frozenset({*SETTINGS, "idle_in_transaction_session_timeout"})
"""What each transaction has of its own; the session's values are those of `working_session()`."""


class SessionSettings:
    """The settings of a session while a revision runs.

    Nothing is asked unless a statement sets something. What a function sets by itself, or what is
    sent past SQLAlchemy, is not heard of.

    Args:
        driver: Gives the connection of psycopg2's.
        is_pooled: Whether the session is shared, and has no settings of `working_session()`.
    """

    def __init__(self, driver: Callable[[], Any], *, is_pooled: bool) -> None:
        self._driver = driver
        self._is_pooled = is_pooled
        self._before: dict[str, str] | None = None

    def note(self, statement: str) -> None:
        """Remember how everything is set, before the first statement that sets something."""
        if self._before is None and _SETTING.search(statement):
            self.remember()

    def remember(self) -> None:
        """Remember how everything is set."""
        self._before = self._read()

    def restore(self) -> None:
        """Set everything as it was, in the transaction under way."""
        before, self._before = self._before, None
        if before is not None:
            statements = list(self._restoring(before, self._read()))
            if statements:
                with self._driver().cursor() as cursor:
                    cursor.execute("; ".join(statements))

    def _restoring(self, before: dict[str, str], after: dict[str, str]) -> Iterable[str]:
        changed = [name for name in {**after, **before} if after.get(name) != before.get(name)]
        # What may be set depends on the role.
        for name in sorted(changed, key=lambda one: (one not in _ROLES, one == "role")):
            value = before.get(name)
            if name in _LIMITS:
                value = None if self._is_pooled else SETTINGS.get(name)
            if value is None:
                yield f"RESET {'.'.join(map(identifier, name.split('.')))}"
            else:
                yield f"SELECT pg_catalog.set_config({literal(name)}, {literal(value)}, false)"

    def _read(self) -> dict[str, str]:
        roles = ", ".join(f"('{one}', pg_catalog.current_setting('{one}'))" for one in _ROLES)
        query = (
            "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session' "
            "AND context <> 'internal' AND NOT starts_with(name, 'transaction_') "
            f"UNION ALL VALUES {roles}"
        )
        return dict(rows(self._driver(), query))


@contextmanager
def settings_kept(connection: Connection) -> Iterator[None]:
    """Take back what is set for the session inside, whatever sets it.

    Args:
        connection: In the transaction in which all of it happens.
    """
    settings = SessionSettings(lambda: connection.connection.dbapi_connection, is_pooled=True)
    settings.remember()
    yield
    settings.restore()
