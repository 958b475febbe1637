"""Running the revisions of a history once more, in a scratch database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Connection

from pgmigrations.migrate.core.alembic_private import operations_in
from pgmigrations.migrate.core.execution import silenced


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
            yield step
            # The loop that runs the steps has committed this one when it asks for the next.
            after(inner)
            scratch.rollback()

    options = {**context.opts, "fn": run, "dont_mutate": False, "on_version_apply": ()}
    with silenced("alembic.runtime.migration"):
        inner = MigrationContext.configure(connection=scratch, opts=options)
        with operations_in(inner), inner.begin_transaction():
            inner.run_migrations()
