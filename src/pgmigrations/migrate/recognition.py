"""A database whose version rows are gone: which revision is it at?

Its schema is compared with the one that each revision builds, in a scratch database; what is
recognised is recorded as applied, and nothing of it is executed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeAlias

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import operations_in
from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.options import metadatas_of, scope_of, settings_of
from pgmigrations.migrate.core.scratch import NoScratchDatabase, scratch_database
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, snapshot
from pgmigrations.migrate.kinds import KINDS

_State: TypeAlias = Mapping[Identity, Record]


class UnrecognisedDatabase(PgMigrationsError):
    """Tables of ours without a version row, and no way to tell which revision they are at."""


def already_applied(context: MigrationContext, steps: Sequence[RevisionStep]) -> int:
    """Tell how many of the steps, from the first, the database's schema already shows.

    Where several revisions in a row build the same schema (one that only changes data does), the
    earliest of them counts: running a revision again is safe, leaving one out is not.

    Args:
        context: The connected context; its version table is empty.
        steps: What an upgrade from nothing would run.

    Returns:
        0 where nothing of the models is there yet, or where no revision matches: then the steps
        run, and each operation looks for itself.

    Raises:
        UnrecognisedDatabase: The schema of the revisions could not be built to compare with.
    """
    assert context.connection is not None
    settings = settings_of(context)
    assert settings is not None
    scope = scope_of(context)
    actual = _state(context.connection, scope)
    if not _holds_any_model(context, scope, actual):
        return 0
    log.info("The version table is empty, but tables are there: looking which revision made them")
    try:
        with scratch_database(context.connection, settings.scratch_url) as scratch:
            states = list(_states(context, steps, scratch))
    except (NoScratchDatabase, DBAPIError) as error:
        first_line = str(getattr(error, "orig", error)).partition("\n")[0]
        raise UnrecognisedDatabase(
            "The database has tables of the models and no version row, and the schema of the "
            f"revisions cannot be built to compare with: {first_line}",
            "Tell the revision that it is at: alembic stamp <revision>",
        ) from error
    count = _match(actual, states)
    if count:
        log.info(
            "The database is at %s: recorded, nothing is run", steps[count - 1].revision.revision
        )
    else:
        log.info("No revision matches the database: every operation looks for itself")
    return count


def _holds_any_model(context: MigrationContext, scope: Scope, actual: _State) -> bool:
    return any(
        ("table", table.schema or scope.default_schema, table.name) in actual
        for metadata in metadatas_of(context)
        for table in metadata.tables.values()
    )


def _states(
    context: MigrationContext, steps: Sequence[RevisionStep], scratch: Connection
) -> Iterator[_State]:
    """Run the steps in the scratch database and yield its state after each."""
    states: list[_State] = []

    def replay(_heads: Any, inner: MigrationContext) -> Iterator[RevisionStep]:
        for step in steps:
            yield step
            # The loop that runs the steps has committed this one when it asks for the next.
            states.append(_state(scratch, scope_of(inner)))
            scratch.rollback()

    options = {**context.opts, "fn": replay, "dont_mutate": False, "on_version_apply": ()}
    with _silenced("alembic.runtime.migration"):
        inner = MigrationContext.configure(connection=scratch, opts=options)
        with operations_in(inner), inner.begin_transaction():
            inner.run_migrations()
    yield from states


def _state(connection: Connection, scope: Scope) -> _State:
    """Read all that lies in a schema; an extension belongs to the database, not to a revision."""
    with pinned(connection):
        return snapshot(
            record for kind in KINDS for record in kind.read(connection, scope) if record.schema
        )


def _match(actual: _State, states: Sequence[_State]) -> int:
    """Count the steps up to the earliest of the last run of states that equal the actual one."""
    made = {identity for state in states for identity in state}
    wanted = {identity: actual.get(identity) for identity in made}
    matches = [
        all(state.get(identity) == record for identity, record in wanted.items())
        for state in states
    ]
    starts = [
        number
        for number, (before, now) in enumerate(pairwise([False, *matches]), start=1)
        if now and not before
    ]
    return starts[-1] if starts else 0


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
