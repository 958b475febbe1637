"""Running the revisions of a history once more, in a scratch database."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Connection

from pgmigrations.migrate.core.alembic_private import operations_in
from pgmigrations.migrate.core.execution import silenced
from pgmigrations.run.no_exit import no_exit
from pgmigrations.run.session_settings import settings_kept


def _by_itself(step: RevisionStep, scratch: Connection) -> RevisionStep:
    """Return a step that neither ends the process nor leaves the session with settings."""

    def run(**kw: Any) -> None:
        with no_exit(f"in revision {step.revision.revision}"), settings_kept(scratch):
            step.migration_fn(**kw)

    found = copy(step)
    found.migration_fn = functools.wraps(step.migration_fn)(run)
    return found


def replay(
    context: MigrationContext,
    steps: Sequence[RevisionStep],
    scratch: Connection,
    after: Callable[[MigrationContext], object] = lambda _: None,
) -> None:
    """Run steps as an upgrade runs them.

    Args:
        context: The context that they were planned in.
        steps: The steps, from the first on.
        scratch: Where they run.
        after: Called after each step, in a transaction that is taken back.
    """

    def run(_heads: Any, inner: MigrationContext) -> Iterator[RevisionStep]:
        for step in steps:
            yield _by_itself(step, scratch)
            # The loop that runs the steps has committed this one when it asks for the next.
            after(inner)
            scratch.rollback()

    options = {**context.opts, "fn": run, "dont_mutate": False, "on_version_apply": ()}
    with silenced("alembic.runtime.migration"):
        inner = MigrationContext.configure(connection=scratch, opts=options)
        with operations_in(inner), inner.begin_transaction():
            inner.run_migrations()
