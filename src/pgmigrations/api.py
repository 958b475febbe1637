"""The commands as functions, for programs: a deployment, a test, an application that starts.

They block, as the driver does: in a running event loop, `await asyncio.to_thread(upgrade, url)`.
Alembic keeps one environment per process, so that several calls at once wait for each other. The
project's logging is left to the program; loggers are `alembic` and `pgmigrations`.

Neither importing this module nor an upgrade with nothing to do imports Alembic or SQLAlchemy.

Example:
    >>> from pgmigrations.api import upgrade
    >>> result = upgrade("postgresql://app@localhost/shop")
    >>> [one.revision for one in result.done]
    ['004_add_favorites']
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.outcome import OUTCOME, SETTINGS, URL, Coming, Done, MayBegin, Outcome, Result

if TYPE_CHECKING:
    from alembic.config import Config

    from pgmigrations.commands.dry_run import Tried
    from pgmigrations.commands.status import RevisionState
    from pgmigrations.migrate.core.revision_edit import Renamed
    from pgmigrations.run.ledger import Row
    from pgmigrations.run.session import Session

__all__ = [
    "Coming",
    "Done",
    "MayBegin",
    "MigrationFailed",
    "Result",
    "adopt",
    "downgrade",
    "dry_run",
    "fake",
    "log",
    "rebase",
    "repair",
    "status",
    "unlock",
    "upgrade",
]


class MigrationFailed(PgMigrationsError):
    """What Alembic's own commands refuse, such as an unknown revision."""


def upgrade(
    url: str | DatabaseUrl | None = None,
    target: str = "head",
    *,
    ini: str | Path = "alembic.ini",
    settings: Mapping[str, object] | None = None,
    may_begin: MayBegin | None = None,
) -> Result:
    """Upgrade a database, as `pgmigrations upgrade` does.

    Example:
        >>> upgrade("postgresql://app@localhost/shop", settings={"lock_wait": 30.0})

    Args:
        url: The database; by default the project's own.
        target: A revision, `head`, `heads` or `+1`.
        ini: The project's alembic.ini.
        settings: Settings of `[pgmigrations]` that win over the project's; lengths of time in
            seconds.
        may_begin: Asked before each revision, under the lock; where it says no, the upgrade ends.

    Raises:
        DatabaseFailure: It cannot be reached, or a revision failed; what came before it is kept.
        LockHeld: Another run works on the database for longer than `lock_wait`.
        MigrationFailed: Alembic refuses: no such revision, several heads.
        PgMigrationsError: Any other failure, each with a message that says what to do.
    """
    began = time.monotonic()
    given = _read(url)
    if not settings:
        from pgmigrations.run.at_head import up_to_date

        with _ONE_AT_A_TIME:
            rows = up_to_date(target, str(ini), url=given)
        if rows is not None:
            at = tuple(sorted(rows))
            return Result(at, at, (), time.monotonic() - began)

    def work(config: Config) -> None:
        from alembic import command

        command.upgrade(config, target)

    return _run(work, given, ini, settings, began, may_begin)


def downgrade(
    url: str | DatabaseUrl | None,
    target: str,
    *,
    ini: str | Path = "alembic.ini",
    settings: Mapping[str, object] | None = None,
) -> Result:
    """Downgrade a database, as `pgmigrations downgrade` does.

    Args:
        url: The database; None for the project's own.
        target: A revision, `base` or `-1`.
        ini: The project's alembic.ini.
        settings: As for `upgrade()`.

    Raises:
        PgMigrationsError: As `upgrade()` does.
    """

    def work(config: Config) -> None:
        from alembic import command

        command.downgrade(config, target)

    return _run(work, _read(url), ini, settings, time.monotonic())


def fake(
    url: str | DatabaseUrl | None,
    target: str = "head",
    *,
    ini: str | Path = "alembic.ini",
    settings: Mapping[str, object] | None = None,
) -> Result:
    """Record revisions as applied without running them, as `pgmigrations fake` does.

    Args:
        url: The database; None for the project's own.
        target: A revision, or `head`.
        ini: The project's alembic.ini.
        settings: As for `upgrade()`.

    Raises:
        PgMigrationsError: As `upgrade()` does.
    """

    def work(config: Config) -> None:
        from alembic import command

        command.stamp(config, target)

    return _run(work, _read(url), ini, settings, time.monotonic())


def dry_run(
    url: str | DatabaseUrl | None = None,
    target: str = "head",
    *,
    ini: str | Path = "alembic.ini",
) -> list[Tried]:
    """Run what is pending on a copy of the schema, as `pgmigrations dry-run` does.

    Args:
        url: The database, which is only read; by default the project's own.
        target: Up to which revision.
        ini: The project's alembic.ini.

    Returns:
        What each revision has sent; the last one may have an `error`, and none follows it.

    Raises:
        PgMigrationsError: As `upgrade()` does; also where no copy can be made.
    """
    from pgmigrations.commands.dry_run import tried_on_copy

    with configured(_read(url), ini, None) as config:
        return tried_on_copy(config, target)


def status(
    url: str | DatabaseUrl | None = None, *, ini: str | Path = "alembic.ini"
) -> list[RevisionState]:
    """Say of each revision how it stands, as `pgmigrations status` does; it only reads.

    Args:
        url: The database; by default the project's own.
        ini: The project's alembic.ini.

    Raises:
        PgMigrationsError: As `upgrade()` does.
    """
    from pgmigrations.commands.status import states

    with configured(_read(url), ini, None) as config:
        return states(config)


def log(
    url: str | DatabaseUrl | None = None, number: int = 0, *, ini: str | Path = "alembic.ini"
) -> list[Row]:
    """Return the last rows of the ledger, the oldest of them first.

    Args:
        url: The database; by default the project's own.
        number: How many; 0 for all.
        ini: The project's alembic.ini.

    Raises:
        PgMigrationsError: As `upgrade()` does.
    """
    from pgmigrations.commands.log import last_rows

    with configured(_read(url), ini, None) as config:
        return last_rows(config, number)


def repair(
    url: str | DatabaseUrl | None = None,
    revision: str | None = None,
    *,
    ini: str | Path = "alembic.ini",
) -> list[str]:
    """Accept the changed code of applied revisions, as `pgmigrations repair --yes` does.

    Args:
        url: The database; by default the project's own.
        revision: The one to accept; by default every one that has changed.
        ini: The project's alembic.ini.

    Returns:
        The revisions that were accepted.

    Raises:
        PgMigrationsError: As `upgrade()` does; also where that revision has not changed.
    """
    from pgmigrations.commands.repair import repair as command

    with configured(_read(url), ini, None) as config:
        return command(config, revision=revision, yes=True, tell=_not_told)


def unlock(
    url: str | DatabaseUrl | None = None, *, ini: str | Path = "alembic.ini"
) -> list[Session]:
    """End the session that holds the lock, as `pgmigrations unlock --yes` does.

    Args:
        url: The database; by default the project's own.
        ini: The project's alembic.ini.

    Returns:
        The sessions that were ended; what they had under way is taken back.

    Raises:
        PgMigrationsError: As `upgrade()` does; also where the role may not end the session.
    """
    from pgmigrations.commands.unlock import unlock as command

    with configured(_read(url), ini, None) as config:
        return command(config, yes=True, tell=_not_told)


def rebase(
    url: str | DatabaseUrl | None = None,
    revision: str | None = None,
    *,
    ini: str | Path = "alembic.ini",
) -> list[Renamed]:
    """Put one of two branches behind the other, as `pgmigrations rebase` does.

    Args:
        url: The database, which is only read; by default the project's own.
        revision: One of the branch's revisions; by default the branch of which nothing is applied.
        ini: The project's alembic.ini.

    Returns:
        What has become of each file.

    Raises:
        PgMigrationsError: As `upgrade()` does; also where there is nothing to rebase, or the files
            fail their proof: they stay as they are then.
    """
    from pgmigrations.commands.rebase import rebase as command

    with configured(_read(url), ini, None) as config:
        return command(config, revision=revision, tell=_not_told)


def adopt(
    url: str | DatabaseUrl | None = None,
    *,
    keep: Collection[str] = (),
    drop: Collection[str] = (),
    reconcile: bool = False,
    undo: bool = False,
    ini: str | Path = "alembic.ini",
) -> str:
    """Take over a database of another tool, as `pgmigrations adopt` does.

    Args:
        url: The database; by default the project's own.
        keep: Tables that no model declares and that stay as they are.
        drop: Those that are dropped.
        reconcile: Adopt it at the newest revision, whatever differs, and write a revision that
            makes up for it.
        undo: Give the other tool its table back instead.
        ini: The project's alembic.ini.

    Returns:
        What was done, in a sentence.

    Raises:
        PgMigrationsError: As `upgrade()` does; also where the schema is another one.
    """
    from pgmigrations.migrate.adopt import Wishes
    from pgmigrations.migrate.adopt import adopt as command

    with configured(_read(url), ini, None) as config:
        return command(config, Wishes(keep, drop, reconcile), undo=undo)


def _not_told(_: str) -> None:
    """Keep a line for people from them: the caller gets what it says."""


# Alembic's environment, and the modules that env.py imports, are there once per process.
_ONE_AT_A_TIME = threading.RLock()


def _read(url: str | DatabaseUrl | None) -> DatabaseUrl | None:
    return parse_database_url(url) if isinstance(url, str) else url


def _run(
    work: Callable[[Config], None],
    url: DatabaseUrl | None,
    ini: str | Path,
    settings: Mapping[str, object] | None,
    began: float,
    may_begin: MayBegin | None = None,
) -> Result:
    with configured(url, ini, settings) as config:
        outcome = config.attributes[OUTCOME] = Outcome(may_begin)
        work(config)
    before, after = (tuple(sorted(one)) for one in (outcome.before, outcome.after))
    done, remaining = tuple(outcome.done), tuple(outcome.remaining)
    return Result(before, after, done, time.monotonic() - began, remaining, outcome.is_ahead)


@contextmanager
def configured(
    url: DatabaseUrl | None, ini: str | Path, settings: Mapping[str, object] | None
) -> Iterator[Config]:
    """Yield Alembic's configuration of a project, and give failures of ours their own class."""
    from alembic.config import Config
    from alembic.util import CommandError

    if not Path(ini).is_file():
        raise MigrationFailed(f"There is no {ini}", "Say where it is, with ini=")
    attributes = {"configure_logger": False, URL: url, SETTINGS: dict(settings or {})}
    config = Config(str(ini), stdout=io.StringIO(), attributes=attributes)
    with _ONE_AT_A_TIME:
        try:
            yield config
        except CommandError as error:
            if isinstance(error.__cause__, PgMigrationsError):
                raise error.__cause__ from error
            raise MigrationFailed(str(error)) from error
