"""The steps of a run, as Alembic's command wants them, with our hands around them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.ahead import is_ahead
from pgmigrations.migrate.core.alembic_private import (
    MigrationsFn,
    is_changing,
    is_external,
    is_upgrade,
)
from pgmigrations.migrate.recognition import already_applied
from pgmigrations.migrate.script_guard import guard_scripts
from pgmigrations.migrate.script_ledger import ledger_in_scripts
from pgmigrations.run.failure import explain
from pgmigrations.run.runner import runner
from pgmigrations.run.within import within_transaction


def prepared(work: MigrationsFn) -> MigrationsFn:
    """Wrap the work of Alembic's command.

    What changes the database is run here, under the lock, and Alembic is handed no steps: a
    revision that meets another session's lock is taken back and tried again, which Alembic's own
    loop cannot do. An upgrade of a database without version rows starts behind what is already
    there. An error says in which revision it happened.
    """

    def steps(heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        if context.as_sql:
            planned = list(work(heads, context))
            guard_scripts(context, heads, planned)
            ledger_in_scripts(context, planned)
            return planned
        if not is_changing(work):
            return list(work(heads, context))
        if is_upgrade(work) and is_ahead(context, heads):
            return []
        if not list(work(heads, context)) and not context.purge:
            return []
        if is_external(context):
            ready = _ready(list(work(heads, context)), context, heads)
            return within_transaction(context, ready)
        with runner(context) as running:
            # Read anew: another run may have been at work until the lock was free.
            at = () if context.purge else context.get_current_heads()
            if is_upgrade(work) and is_ahead(context, at):
                return []
            ready = _ready(list(work(at, context)), context, at)
            assert context.connection is not None
            context.connection.rollback()
            running.run(ready, at)
        return []

    return steps


def _ready(
    planned: list[MigrationStep], context: MigrationContext, heads: Collection[str]
) -> Sequence[MigrationStep]:
    upgrade = [step for step in planned if isinstance(step, RevisionStep) and step.is_upgrade]
    if planned and not heads and len(upgrade) == len(planned):
        for step in planned[: already_applied(context, upgrade)]:
            step.migration_fn = record
    for step in planned:
        step.migration_fn = _explained(step.migration_fn, step)
    return planned


def record(**kw: Any) -> None:
    """Stand in for a revision whose work is there; Alembic's log calls it by this name."""


record.is_run = False  # type: ignore[attr-defined]


def _explained(run: Callable[..., None], step: MigrationStep) -> Callable[..., None]:
    @functools.wraps(run)
    def run_explained(**kw: Any) -> None:
        try:
            run(**kw)
        except DBAPIError as error:
            raise explain(error, doing=_place(step)) from error
        except PgMigrationsError as error:
            error.what = f"{_place(step)}: {error.what}"
            raise

    return run_explained


def _place(step: MigrationStep) -> str:
    if isinstance(step, RevisionStep):
        direction = "revision" if step.is_upgrade else "the downgrade of revision"
        return f"in {direction} {step.revision.revision}"
    return "while stamping"
