"""One deployment, from waiting for the database to saying what was done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pgmigrations.api import Result
from pgmigrations.deploy.application_login import Asked, Kept, Reason
from pgmigrations.deploy.failure import InvalidOrder
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.run.at_head import up_to_date
from pgmigrations.run.failure_kind import (
    ConnectionFailure,
    ServerShuttingDown,
    ServerStarting,
    ServerUnreachable,
)

if TYPE_CHECKING:
    from pgmigrations.deploy.wiring import Wiring

log = logging.getLogger("pgmigrations")

DATABASE_WAIT = 120.0
"""Seconds to wait for a database that does not answer yet."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_NOT_YET = (ServerUnreachable, ServerStarting, ServerShuttingDown)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Deployment:
    """What a deployment has done; nothing in it is secret.

    Attributes:
        status: `deployed`, `unchanged` (there was nothing to do) or `incomplete` (there was no time
            for `remaining`: call it again).
        before: The version rows that it found.
        after: Those that it left.
        revisions: What it went through: `revision`, `status`, `seconds`.
        remaining: Revisions that there was no time for, in order.
        adopted: What an adoption has said; empty where there was none.
        secrets: What each login's secret holds, by the version's id.
        verified: Whether the database was compared with the models.
        seconds: How long it took.
    """

    status: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    revisions: tuple[Mapping[str, Any], ...] = ()
    remaining: tuple[str, ...] = ()
    adopted: str = ""
    secrets: tuple[Kept, ...] = ()
    verified: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give plain values, as `json.dumps` takes them."""
        values = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }
        values["secrets"] = [asdict(one) | {"reason": str(one.reason)} for one in self.secrets]
        values["seconds"] = round(self.seconds, 3)
        return values


def deploy(
    wiring: Wiring,
    order: Order | None = None,
    limit: TimeLimit | None = None,
    *,
    wait: float = DATABASE_WAIT,
) -> Deployment:
    """Migrate a database, then see to it that its application can log in.

    Waits for the database; adopts it, if told to; upgrades it under the lock; and sets the
    passwords of the application's logins where that is asked, due or needed. Each part can be
    repeated, so that a deployment that was killed anywhere is finished by the next one.

    Example:
        >>> deploy(Wiring.of(Path("alembic.ini"), os.environ), Order(rotate=True)).status
        'deployed'

    Args:
        wiring: Where it goes.
        order: What is asked for; by default to be at head.
        limit: The time that there is; none by default.
        wait: Seconds to wait for a database that does not answer yet.

    Raises:
        PgMigrationsError: Each failure of a class of its own, of which
            `pgmigrations.deploy.failure.code_of` makes a stable word.
    """
    order, limit = order or Order(), limit or TimeLimit()
    if order.rotate and not wiring.rotation.logins:
        raise InvalidOrder(
            "There is no password to rotate", "Set application_logins in alembic.ini"
        )
    adopted, result = _migrated(wiring, order, limit, time.monotonic() + limit.at_most(wait))
    # Older files know neither what to compare with, nor that the passwords are just new.
    is_verified = order.verify and not result.remaining and not result.is_ahead
    if is_verified:
        from pgmigrations.deploy.verification import verify

        # Before any password changes, which the next try would do once more.
        verify(wiring)
    kept: list[Kept] = []
    if not result.remaining and wiring.rotation.logins:
        lock_wait = limit.at_most(wiring.settings.lock_wait)
        asked = Asked(order.rotate and not result.is_ahead, order.request)
        kept = wiring.rotation.run(asked, wait=lock_wait)
    is_changed = result.is_changed or any(one.reason is not Reason.NONE for one in kept)
    return Deployment(
        "incomplete" if result.remaining else "deployed" if adopted or is_changed else "unchanged",
        result.before,
        result.after,
        tuple(map(asdict, result.done)),
        result.remaining,
        adopted,
        tuple(kept),
        is_verified,
        limit.spent,
    )


def _migrated(wiring: Wiring, order: Order, limit: TimeLimit, end: float) -> tuple[str, Result]:
    """Adopt and upgrade; what the adoption has said, and what the upgrade has done."""
    server, ini = wiring.server, str(wiring.ini)
    rows = _once_it_answers(lambda: up_to_date(order.target, ini, url=server.url), end)
    if rows is not None:
        at = tuple(sorted(rows))
        return "", Result(at, at, (), 0.0)
    _once_it_answers(lambda: server.connect().close(), end)
    adopted = _adopted(wiring, order, limit) if order.adopt else ""
    return adopted, _upgraded(wiring, order, limit)


def _once_it_answers(ask: Callable[[], Answer], end: float) -> Answer:
    """Ask again while the server starts, or its name is not known yet."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return ask()
        except ConnectionFailure as error:
            if not isinstance(error, _NOT_YET) or time.monotonic() + pause > end:
                raise
            log.info("Waiting for the database: %s", error.what)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _adopted(wiring: Wiring, order: Order, limit: TimeLimit) -> str:
    """Take a database of another tool over; empty where it is none."""
    # What needs Alembic is imported where there is something to do.
    from pgmigrations.api import configured
    from pgmigrations.deploy.other_tool import is_of_another_tool
    from pgmigrations.migrate.adopt import Wishes, adopt

    table, schema = wiring.rotation.version_table()
    with closing(wiring.server.connect()) as connection:
        if not is_of_another_tool(connection, schema, table):
            return ""
    with configured(wiring.server.url, wiring.ini, _waits(wiring, limit)) as config:
        return adopt(config, Wishes(keep=order.keep))


def _upgraded(wiring: Wiring, order: Order, limit: TimeLimit) -> Result:
    from pgmigrations.api import upgrade
    from pgmigrations.deploy.step_time import StepTime

    return upgrade(
        wiring.server.url,
        order.target,
        ini=wiring.ini,
        settings=_waits(wiring, limit),
        may_begin=StepTime(limit, wiring.settings.step_rate).may_begin,
    )


def _waits(wiring: Wiring, limit: TimeLimit) -> dict[str, object]:
    settings = wiring.settings
    return {key: limit.at_most(getattr(settings, key)) for key in ("lock_wait", "blocked_wait")}
