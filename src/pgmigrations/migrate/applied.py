"""What Alembic's command changes a database by, run under the lock."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep, StampStep
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.ahead import is_ahead
from pgmigrations.migrate.changed import refuse_changed
from pgmigrations.migrate.core.alembic_private import (
    MigrationsFn,
    Step,
    is_external,
    is_per_migration,
    is_stamp,
    is_upgrade,
)
from pgmigrations.migrate.core.heap import growing_heap
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.known import KNOWN, Known
from pgmigrations.migrate.model_tables import has_model_tables
from pgmigrations.migrate.script_guard import guard_scripts
from pgmigrations.migrate.script_ledger import ledger_in_scripts
from pgmigrations.migrate.steps import PURGE
from pgmigrations.run.adoption_of_alembic import ALEMBIC_TABLE, alembic_rows
from pgmigrations.run.half_done import refuse_half_done
from pgmigrations.run.no_exit import RevisionExits, no_exit
from pgmigrations.run.outcome import OUTCOME
from pgmigrations.run.place import place_of
from pgmigrations.run.runner import runner
from pgmigrations.run.step import Stamp, entries, revision_of
from pgmigrations.run.version_rows import changes_of
from pgmigrations.run.within import within_transaction


def applied(work: MigrationsFn, heads: Any, context: MigrationContext) -> Iterable[Step]:
    """Run what changes the database; return the steps that are left to Alembic.

    Those of a script (`--sql`) are; else none are: a revision that meets another session's lock is
    taken back and tried again, which Alembic's own loop cannot do. An upgrade of a database without
    version rows starts behind what is already there. An error says in which revision it happened.

    Args:
        work: The work of Alembic's command.
        heads: The version rows.
        context: Alembic's context.
    """
    if context.as_sql:
        written: list[Step] = list(work(heads, context))
        for one in written:
            one.migration_fn = _explained(one.migration_fn, one)
        guard_scripts(context, heads, written)
        ledger_in_scripts(context, written)
        return written
    if is_stamp(work):
        return _stamped(work, heads, context)
    planned = _planned(work, heads, context)
    if not planned:
        return []
    if is_external(context):
        recognised = _prepare(planned, context, heads)
        return within_transaction(context, planned, heads, recognised)
    if not is_per_migration(context):
        raise OneTransactionForAll
    with runner(context) as running:
        # Read anew: another run may have been at work until the lock was free.
        at = context.get_current_heads()
        if set(at) != set(heads):
            planned = _planned(work, at, context)
        else:
            _refuse_half_done(context, planned)
        recognised = _prepare(planned, context, at)
        assert context.connection is not None
        context.connection.rollback()
        known: Known | None = context.opts.get(KNOWN)
        if known is not None and known.manifest is not None:
            running.checksums = known.manifest.checksums
        running.run(planned, at, recognised)
    return []


def _stamped(
    work: MigrationsFn, heads: Collection[str], context: MigrationContext
) -> Iterable[Step]:
    """Change the version rows, or replace them whatever they are (`--purge`)."""
    is_purge = PURGE in context.opts
    assert context.script is not None
    revisions = context.script.revision_map

    def parts(at: Collection[str]) -> list[Step]:
        planned: list[Step] = list(work(() if is_purge else at, context))
        for one in planned:
            one.migration_fn = _explained(one.migration_fn, one)
        if not is_purge:
            return planned
        gone = [StampStep(one, None, False, True, revisions) for one in sorted(at)]
        return [*gone, *planned]

    if is_external(context):
        return within_transaction(context, parts(heads), heads, ())
    if not is_per_migration(context):
        raise OneTransactionForAll
    with runner(context) as running:
        at = after = set(context.get_current_heads())
        assert context.connection is not None
        driver: Any = context.connection.connection.dbapi_connection
        had, begun = running.ledger.had_and_begun(driver)
        context.connection.rollback()
        steps = parts(at)
        for step in steps:
            after, _ = changes_of(context, step, after)
        stamp = Stamp(steps, at, after, revisions, had, begun)
        if steps or entries(stamp):
            running.run([stamp], at)
    return []


def _planned(
    work: MigrationsFn, heads: Collection[str], context: MigrationContext
) -> Sequence[Step]:
    """Ask Alembic what is to be run."""
    settings = settings_of(context)
    refuses_changed = is_upgrade(work) and settings is not None and settings.refuse_changed
    if is_upgrade(work) and is_ahead(context, heads):
        if refuses_changed:
            # All files are applied, and more.
            assert context.script is not None
            refuse_changed(context, context.script.get_heads())
        outcome = context.config.attributes.get(OUTCOME) if context.config else None
        if outcome is not None:
            outcome.is_ahead = True
        return []
    # It loads the revision files, which stay.
    with growing_heap():
        planned: list[Step] = list(work(heads, context))
    if refuses_changed:
        refuse_changed(context, heads)
    _refuse_half_done(context, planned)
    return planned


def _refuse_half_done(context: MigrationContext, planned: Sequence[Step]) -> None:
    def known() -> Collection[str]:
        assert context.script is not None
        return {script.revision for script in context.script.walk_revisions()}

    refuse_half_done(context, planned, known)


def _prepare(
    planned: Sequence[Step], context: MigrationContext, heads: Collection[str]
) -> Collection[str]:
    """Find out which steps' work is there already, and let the others tell where they failed."""
    upgrade = [step for step in planned if isinstance(step, RevisionStep) and step.is_upgrade]
    recognised: set[str] = set()
    if not heads and upgrade:
        _refuse_unadopted(context)
    is_from_nothing = planned and not heads and len(upgrade) == len(planned)
    # On a new database there is nothing to recognise, and most of what could is not imported.
    if is_from_nothing and has_model_tables(context):
        from pgmigrations.migrate.recognition import already_applied

        for step in upgrade[: already_applied(context, upgrade)]:
            step.migration_fn = record
            recognised.add(revision_of(step))
    for one in planned:
        one.migration_fn = _explained(one.migration_fn, one)
    return recognised


def _refuse_unadopted(context: MigrationContext) -> None:
    """Refuse to begin anew where plain Alembic has run the project's revisions."""
    assert context.connection is not None
    assert context.script is not None
    place = place_of(context)
    driver: Any = context.connection.connection.dbapi_connection
    found = alembic_rows(driver, place.schema)
    if found is None or not found.rows:
        return
    known = {script.revision for script in context.script.walk_revisions()}
    # Rows of another application are no reason to stop, while nothing of this one is there.
    if known.issuperset(found.rows) or has_model_tables(context):
        raise NotYetAdopted(found.rows, place.table)


class NotYetAdopted(PgMigrationsError):
    """The database is at a revision, and the version table of plain Alembic says so."""

    def __init__(self, found: Sequence[str], table: str) -> None:
        super().__init__(
            f"{ALEMBIC_TABLE} says that the database is at {', '.join(found)}, and {table} is "
            "empty: it is not adopted yet",
            "Run pgmigrations adopt; if those are another application's, pgmigrations stamp",
        )


class OneTransactionForAll(PgMigrationsError):
    """All revisions are to be one transaction, in which no step can be tried again by itself."""

    def __init__(self) -> None:
        super().__init__(
            "transaction_per_migration=False: each revision is a transaction of its own here",
            "Take it out of context.configure() in env.py; for all or nothing hand over a "
            "connection on which a transaction has begun",
        )


def record(**kw: Any) -> None:
    """Stand in for a revision whose work is there; Alembic's log calls it by this name."""


def _explained(run: Callable[..., None], step: Step) -> Callable[..., None]:
    @functools.wraps(run)
    def run_explained(**kw: Any) -> None:
        try:
            with no_exit(_place(step)):
                run(**kw)
        except DBAPIError as error:
            from pgmigrations.run.failure import explain

            raise explain(error, doing=_place(step)) from error
        except RevisionExits:
            raise
        except PgMigrationsError as error:
            error.what = f"{_place(step)}: {error.what}"
            raise

    return run_explained


def _place(step: Step) -> str:
    if isinstance(step, RevisionStep):
        direction = "revision" if step.is_upgrade else "the downgrade of revision"
        return f"in {direction} {step.revision.revision}"
    return "while stamping"
