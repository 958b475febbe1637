"""The work of Alembic's command, which is ours where it changes the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script.revision import MultipleHeads
from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import MigrationsFn, Step, is_changing
from pgmigrations.run.outcome import OUTCOME, URL, URL_USED

ADOPTING = "pgmigrations_adopting"
"""Key of `Config.attributes`: the version table's name belongs to the other tool for now."""

REBASING = "pgmigrations_rebasing"
"""Key of `Config.attributes`: two revisions may have one number for now."""

PURGE = "pgmigrations_purge"
"""Key among the arguments of `context.configure()`: `alembic stamp --purge` runs."""


class OtherDatabase(PgMigrationsError):
    """A program has named a database, and env.py connects to one of its own choice."""

    def __init__(self) -> None:
        super().__init__(
            "env.py does not connect to the database that was asked for",
            "Let it connect by pgmigrations.migrate.env.connected(database_url)",
        )


class SeveralHeads(PgMigrationsError):
    """A command that goes to the head, where there are several."""

    def __init__(self, heads: Sequence[str]) -> None:
        super().__init__(
            f"There are {len(heads)} heads: {', '.join(heads)}",
            "Put one branch behind the other with pgmigrations rebase, or join them with alembic "
            "merge heads -m join; or name one of them, or heads for all",
        )


@contextmanager
def heads_told() -> Iterator[None]:
    """Name the heads, and what can be done, where Alembic finds several and wants one.

    Raises:
        SeveralHeads: It does.
    """
    try:
        yield
    except CommandError as error:
        if isinstance(error.__cause__, MultipleHeads):
            raise SeveralHeads(sorted(error.__cause__.heads)) from error
        raise


def told(work: MigrationsFn) -> MigrationsFn:
    """Write down for whoever has called which version rows there are before and after."""

    def steps(heads: Any, context: MigrationContext) -> Iterable[Step]:
        attributes = context.config.attributes if context.config else {}
        if attributes.get(URL) is not None and not (attributes.get(URL_USED) or context.as_sql):
            raise OtherDatabase
        outcome = attributes.get(OUTCOME)
        if outcome is not None:
            outcome.before = outcome.after = tuple(heads)
        return work(heads, context)

    return steps


def prepared(work: MigrationsFn) -> MigrationsFn:
    """Wrap the work of Alembic's command."""

    def steps(heads: Any, context: MigrationContext) -> Iterable[Step]:
        if not (context.as_sql or is_changing(work)):
            return list(work(heads, context))
        # What only looks needs none of this, and is run more often.
        from pgmigrations.migrate.applied import applied
        from pgmigrations.run.no_exit import no_exit

        # Loading a revision's file runs its code.
        with no_exit(), heads_told():
            return applied(work, heads, context)

    return steps
