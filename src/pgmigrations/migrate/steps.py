"""The steps of a run, as Alembic's command wants them, with our hands around them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import MigrationsFn, version_table_of
from pgmigrations.migrate.recognition import already_applied
from pgmigrations.migrate.script_guard import guard_scripts
from pgmigrations.run.failure import explain


def prepared(work: MigrationsFn) -> MigrationsFn:
    """Wrap the work of Alembic's command.

    The version table is made in the first step's transaction, so that a first revision that fails
    leaves nothing behind. An upgrade of a database without version rows starts behind what is
    already there. An error says in which revision it happened.
    """

    def steps(heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        planned = list(work(heads, context))
        if context.as_sql:
            guard_scripts(context, heads, planned)
        if context.as_sql or not planned:
            return planned
        upgrade = [step for step in planned if isinstance(step, RevisionStep) and step.is_upgrade]
        if not heads and len(upgrade) == len(planned):
            for step in planned[: already_applied(context, upgrade)]:
                step.migration_fn = record
        for step in planned:
            step.migration_fn = _explained(step.migration_fn, step)
        planned[0].migration_fn = _with_version_table(planned[0].migration_fn, context)
        return planned

    return steps


def record(**kw: Any) -> None:
    """Stand in for a revision whose work is there; Alembic's log calls it by this name."""


def _with_version_table(run: Callable[..., None], context: MigrationContext) -> Callable[..., None]:
    @functools.wraps(run)
    def run_with_version_table(**kw: Any) -> None:
        assert context.connection is not None
        table = version_table_of(context)
        if not inspect(context.connection).has_table(table.name, schema=table.schema):
            table.create(context.connection)
        run(**kw)

    return run_with_version_table


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
