"""Changing passwords while the application goes on: kept as pending, set, tried, made current.

Each step can be repeated and every state between them is told by the secret's two versions and by
who can log in, so that a run that was killed anywhere is finished by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg2

from pgmigrations.deploy.application_login import ApplicationLogin, Asked, Kept, Reason
from pgmigrations.deploy.login import (
    POOLED,
    LoginUntried,
    Server,
    refuse_unusable,
    set_password,
)
from pgmigrations.deploy.secret import (
    Endpoint,
    Secret,
    SecretUnusable,
    Version,
    new_password,
)
from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.failure import explain
from pgmigrations.run.lock import PLACE, LockKeys, LockLost, RunnerLock, runner_lock
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions

log = logging.getLogger("pgmigrations")


class PasswordRefused(PgMigrationsError):
    """A new password was set, and the login fails: the old one stays current."""


class NotPending(PgMigrationsError):
    """A step of a rotation was asked for whose version is not the pending one."""


_GOES_ON = frozenset({Reason.INITIAL, Reason.BROKEN, Reason.RESUMED})


@dataclass(frozen=True)
class _Found:
    """The state of one login."""

    one: ApplicationLogin
    current: Version | None
    pending: Version | None
    is_working: bool
    reason: Reason

    def is_as_in(self, later: _Found) -> bool:
        """Whether nobody has changed the password since."""
        if self.current is None or later.current is None:
            return True
        return self.current.id == later.current.id

    @property
    def kept(self) -> Kept:
        assert self.current is not None
        one, current = self.one, self.current
        return Kept(one.login, one.secret, current.secret.username, current.id)


@dataclass(frozen=True)
class Rotation:
    """The logins of one database.

    Attributes:
        server: The database as the migrating role reaches it.
        endpoint: Where the application connects.
        logins: The application's.
        days: Days after which a password is changed unasked; 0 for never.
        version_table: Tells the version table's name, and its schema, which is empty for the
            connection's default schema: they name the lock, which is that of the migrations.
    """

    server: Server
    endpoint: Endpoint
    logins: Sequence[ApplicationLogin]
    days: int = 0
    version_table: Callable[[], tuple[str, str]] = lambda: ("pgmigrations", "")

    def run(self, asked: Asked, *, wait: float) -> list[Kept]:
        """Bring every login to where its secret logs in, and change passwords where it is time.

        Reads each secret and logs in once, and no more where there is nothing to do. Else it takes
        the lock of the migrations, looks again, and works on one login after the other.

        Args:
            asked: Whether every password is to be changed; for one request it is done once.
            wait: Seconds to wait for the lock.

        Raises:
            RoleMissing: Revisions have not made a role.
            SecretUnusable: A secret holds something else than the login.
            SecretStoreFailure: The store refuses.
            PasswordRefused: The new password was set, and does not log in.
            LoginUntried: Nothing can be known of a login's password from here; it is as it was.
            LoginExpired: The server lets a login in by no password.
            LockHeld: Another run is at work for longer than `wait`.
        """
        found = [self._look(one, asked) for one in self.logins]
        if all(one.reason is Reason.NONE for one in found):
            return [one.kept for one in found]
        with self._locked(wait) as (lock, connection):
            roles = [name for one in self.logins for name in one.names]
            refuse_unusable(connection, roles)
            return [self._brought(before, lock, connection, asked) for before in found]

    def create(self, one: ApplicationLogin, token: str, *, wait: float) -> None:
        """Step 1 of Secrets Manager's rotation: keep a new password under a token."""
        with self._locked(wait) as (_, connection):
            refuse_unusable(connection, one.names)
            found = self._versions(one)
            if not _is_there(found, token):
                one.store.put_pending(one.secret, self._next(found), token)

    def set(self, one: ApplicationLogin, token: str, *, wait: float) -> None:
        """Step 2: let the database know it."""
        with self._locked(wait) as (lock, connection):
            found = self._versions(one)
            if found.current is None or found.current.id != token:
                self._set(_pending_of(found, token), lock, connection)

    def test(self, one: ApplicationLogin, token: str) -> None:
        """Step 3: log in with it."""
        found = self._versions(one)
        if found.current is None or found.current.id != token:
            self._test(_pending_of(found, token))

    def finish(self, one: ApplicationLogin, token: str, *, wait: float) -> None:
        """Step 4: let the application have it."""
        with self._locked(wait) as (lock, _):
            found = self._versions(one)
            if found.current is None or found.current.id != token:
                pending = _pending_of(found, token)
                self._test(pending)
                self._promote(found, pending, lock)

    def _look(self, one: ApplicationLogin, asked: Asked) -> _Found:
        found = self._versions(one)
        token = asked.token(one.secret)
        is_done = bool(token and found.current and found.current.id == token)
        is_asked = asked.is_asked and not is_done
        return replace(found, reason=self._reason(found, is_asked=is_asked))

    def _versions(self, one: ApplicationLogin) -> _Found:
        """Read what is kept, and find out whether it logs in."""
        current = one.store.current(one.secret)
        pending = None if current and current.is_pending else _left_pending(one)
        if pending and current and pending.id == current.id:
            pending = None
        is_working = current is not None and self._is_working(one, current.secret)
        if current and is_working and current.secret.username not in one.known:
            raise SecretUnusable(
                f"The secret {one.secret} holds a login that works, {current.secret.username}, and "
                f"not one of {one.login}",
                "Name another secret for it: this one is somebody else's",
            )
        return _Found(one, current, pending, is_working, Reason.NONE)

    def _is_working(self, one: ApplicationLogin, secret: Secret) -> bool:
        if not secret.username or not secret.password:
            return False
        try:
            return self.server.lets_in(secret)
        except LoginUntried:
            # A placeholder is nobody's login.
            if secret.username in one.known:
                raise
            return False

    def _reason(self, found: _Found, *, is_asked: bool) -> Reason:
        current = found.current
        if current is None or current.secret.username not in found.one.known:
            return Reason.INITIAL
        if not found.is_working:
            return Reason.BROKEN
        is_only_moved = found.pending and found.pending.secret.has_login_of(current.secret)
        if _is_usable(found) and not (is_asked and is_only_moved):
            return Reason.RESUMED
        if is_asked:
            return Reason.ASKED
        is_moved = not current.secret.is_at(self.endpoint)
        # A version that only moves would be as young as a new password.
        if self._is_due(current) or (is_moved and self.days):
            return Reason.DUE
        return Reason.MOVED if is_moved else Reason.NONE

    def _is_due(self, current: Version) -> bool:
        if not self.days or current.created is None:
            return False
        return datetime.now(UTC) - current.created >= timedelta(days=self.days)

    def _brought(
        self,
        before: _Found,
        lock: RunnerLock,
        connection: extensions.connection,
        asked: Asked,
    ) -> Kept:
        one = before.one
        found = self._look(one, asked)
        if found.reason is Reason.ASKED and not before.is_as_in(found):
            # Another run has done it while this one waited for the lock.
            found = replace(found, reason=self._reason(found, is_asked=False))
        if found.reason is Reason.NONE:
            return found.kept
        if found.reason is Reason.BROKEN and lock.is_pooled:
            raise LoginUntried(found.kept.username, "a pooler says so, which may not know it")
        pending = self._made_pending(found, asked)
        # What an earlier run has left may be set already, and what only moves is.
        is_new = pending is not found.pending and found.reason is not Reason.MOVED
        if is_new or not self.server.lets_in(pending.secret):
            self._set(pending, lock, connection)
            self._test(pending, is_pooled=lock.is_pooled)
        self._promote(found, pending, lock)
        log.info("The password of %s is that of %s now", one.login, pending.secret.username)
        username = pending.secret.username
        return Kept(one.login, one.secret, username, pending.id, found.reason)

    def _made_pending(self, found: _Found, asked: Asked) -> Version:
        """The pending version that an earlier run has left, if it can be gone on with, or one."""
        left = found.pending if found.reason in _GOES_ON and _is_usable(found) else None
        wanted = (left.secret if left else self._next(found)).at(self.endpoint)
        if left is not None and left.secret == wanted:
            return left
        token = asked.token(found.one.secret) if found.reason is Reason.ASKED else ""
        if not token or (found.pending and found.pending.id == token):
            token = str(uuid4())
        return Version(found.one.store.put_pending(found.one.secret, wanted, token), wanted)

    def _next(self, found: _Found) -> Secret:
        secret = found.current.secret if found.current else Secret({"engine": "postgres"})
        if found.reason is not Reason.MOVED:
            # The login before a broken one may be in use still, and keeps its password.
            is_mended = found.reason is Reason.BROKEN
            username = secret.username if is_mended else found.one.next_after(secret.username)
            secret = secret.with_login(username, new_password())
        return secret.at(self.endpoint)

    def _set(self, pending: Version, lock: RunnerLock, connection: extensions.connection) -> None:
        _refuse_if_lost(lock)
        set_password(connection, pending.secret, work=lock.keys.work)

    def _test(self, pending: Version, *, is_pooled: bool = False) -> None:
        refusal = self.server.refusal_of(pending.secret)
        if refusal is not None:
            raise PasswordRefused(
                f"The new password of {pending.secret.username} does not log in: {refusal.what}",
                POOLED if is_pooled else refusal.hint,
            )

    def _promote(self, found: _Found, pending: Version, lock: RunnerLock) -> None:
        _refuse_if_lost(lock)
        current = found.current.id if found.current else ""
        if current != pending.id:
            found.one.store.promote(found.one.secret, pending.id, current)

    @contextmanager
    def _locked(self, wait: float) -> Iterator[tuple[RunnerLock, extensions.connection]]:
        try:
            connection = self.server.connect()
            table, schema = self.version_table()
            ((database, schema),) = rows(connection, PLACE, (schema, table))
            keys = LockKeys.of(database, schema, table)
            with (
                runner_lock(connection, keys, wait=wait) as lock,
                closing(self.server.connect()) as work,
            ):
                yield lock, work
        except psycopg2.Error as error:
            raise explain(error, url=self.server.url, doing="setting passwords") from None


def _left_pending(one: ApplicationLogin) -> Version | None:
    try:
        return one.store.pending(one.secret)
    except SecretUnusable as error:
        log.warning("What is pending is left alone: %s", error.what)
        return None


def _is_usable(found: _Found) -> bool:
    """Whether a pending version can be gone on with, without harm to a current one that works."""
    pending, current = found.pending, found.current
    if pending is None or not pending.secret.password:
        return False
    one = found.one
    # A single login may be the second of two that there were before.
    if pending.secret.username not in (one.names if one.is_alternating else one.known):
        return False
    if current is None or not found.is_working or pending.secret.has_login_of(current.secret):
        return True
    return not found.one.is_alternating or pending.secret.username != current.secret.username


def _is_there(found: _Found, token: str) -> bool:
    return any(one is not None and one.id == token for one in (found.current, found.pending))


def _pending_of(found: _Found, token: str) -> Version:
    if found.pending is None or found.pending.id != token or not _is_usable(found):
        raise NotPending(
            f"Version {token} of the secret {found.one.secret} is not the pending one",
            "Begin the rotation again: rotate-secret, or pgmigrations deploy --rotate",
        )
    return found.pending


def _refuse_if_lost(lock: RunnerLock) -> None:
    try:
        rows(lock.connection, "SELECT 1")
    except psycopg2.Error:
        raise LockLost from None
