"""A database whose version rows are gone: which revision is it at?

Its schema is compared with the one that each revision builds, in a scratch database; what is
recognised is recorded as applied, and nothing of it is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TypeAlias

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.execution import log, send
from pgmigrations.migrate.core.guarded_session import SharedObject
from pgmigrations.migrate.core.options import metadatas_of, scope_of, settings_of
from pgmigrations.migrate.core.own_server import own_server, roles_taken_back, stand_ins
from pgmigrations.migrate.core.quoting import identifier
from pgmigrations.migrate.core.scratch import NoScratchDatabase, scratch_database
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, snapshot
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.replay import replay
from pgmigrations.run.failure import DatabaseFailure

_State: TypeAlias = Mapping[Identity, Record]


class UnrecognisedDatabase(PgMigrationsError):
    """Tables of ours without a version row, and no way to tell which revision they are at."""


def already_applied(
    context: MigrationContext, steps: Sequence[RevisionStep], *, is_exact: bool = False
) -> int:
    """Tell how many of the steps, from the first, the database's schema already shows.

    Where several revisions in a row build the same schema (one that only changes data does), the
    earliest of them counts: running a revision again is safe, leaving one out is not.

    Args:
        context: The connected context; its version table is empty.
        steps: What an upgrade from nothing would run.
        is_exact: Whether nothing else may be on the tables, and a part of what the first revision
            makes is an error, too.

    Returns:
        0 where nothing of the models is there yet, or only a part of what the first revision
        makes: then the steps run, and each operation looks for itself.

    Raises:
        UnrecognisedDatabase: No revision matches, or the schema of the revisions could not be
            built to compare with. Running all of them again could drop what is in use.
        SharedObject: None matches of those before one that makes a role or the like, and there is
            no server on which that can be tried.
    """
    assert context.connection is not None
    scope = scope_of(context)
    actual = _state(context.connection, scope)
    if actual.keys().isdisjoint(_model_tables(context, scope)):
        return 0
    log.info("The version table is empty, but tables are there: looking which revision made them")
    try:
        states, refusal = _built(context, steps, scope)
    except (NoScratchDatabase, DBAPIError) as error:
        first_line = str(getattr(error, "orig", error)).partition("\n")[0]
        raise UnrecognisedDatabase(
            "The database has tables of the models and no version row, and the schema of the "
            f"revisions cannot be built to compare with: {first_line}",
            _STAMP,
        ) from error
    compared = _compared(actual, states, is_exact=is_exact or refusal is not None)
    if refusal is not None:
        # A revision behind the last state may have made what else is there; another tool's
        # database has never seen one, and may have tables that no model declares.
        compared |= {*_model_tables(context, scope)} & {*actual} if is_exact else {*actual}
    count = _match(actual, states, compared)
    if count:
        last = steps[count - 1].revision.revision
        log.info("The database is at %s: recorded, nothing is run", last)
    elif is_exact or not _is_begun(actual, states, compared):
        if refusal is not None:
            refusal.hint = f"{refusal.hint}. {_STAMP}"
            raise refusal
        raise UnrecognisedDatabase(_unlike(actual, states, steps, compared), _STAMP)
    return count


_STAMP = "Tell the revision that it is at: alembic stamp <revision>"


def _model_tables(context: MigrationContext, scope: Scope) -> Iterator[Identity]:
    for metadata in metadatas_of(context):
        for table in metadata.tables.values():
            yield ("table", table.schema or scope.default_schema, table.name)


def _built(
    context: MigrationContext, steps: Sequence[RevisionStep], scope: Scope
) -> tuple[list[_State], SharedObject | None]:
    """Build the states where all of them can be, if there is such a server."""
    settings = settings_of(context)
    assert settings is not None
    assert context.connection is not None
    own = "" if settings.scratch_url else own_server(context.connection)
    states: list[_State] = []
    refusal: SharedObject | None = None
    failure: DBAPIError | DatabaseFailure | None = None
    try:
        states, refusal = _replayed(context, steps, scope, settings.scratch_url)
    except (DBAPIError, DatabaseFailure) as error:
        # As whoever may make no extension there.
        failure = error
    if own and (refusal is not None or failure is not None):
        with suppress(DBAPIError, PgMigrationsError, OSError):
            return _replayed(context, steps, scope, own)
    if failure is not None:
        raise failure
    return states, refusal


def _replayed(
    context: MigrationContext, steps: Sequence[RevisionStep], scope: Scope, scratch_url: str
) -> tuple[list[_State], SharedObject | None]:
    """Run the steps in a scratch database and return its state after each.

    They end before one that changes what all databases of the server share, which is told, too: a
    function that takes a database over has no server of its own.

    A schema that no revision makes was made by hand before the first; then it is made there, too.
    """
    assert context.connection is not None
    for schemas in ((), sorted(scope.schemas)):
        roles = stand_ins(context.connection, scope)
        with (
            roles_taken_back(context.connection, scratch_url, scope),
            scratch_database(context.connection, scratch_url, elsewhere=roles) as scratch,
        ):
            for schema in schemas:
                send(scratch, f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
            scratch.commit()
            try:
                return _states(context, steps, scratch)
            except (DBAPIError, DatabaseFailure) as error:
                if schemas or _sqlstate(error) != _MISSING_SCHEMA:
                    raise
    raise AssertionError


_MISSING_SCHEMA = "3F000"


def _sqlstate(error: DBAPIError | DatabaseFailure) -> str | None:
    if isinstance(error, DatabaseFailure):
        return error.sqlstate
    return getattr(error.orig, "pgcode", None)


def _states(
    context: MigrationContext, steps: Sequence[RevisionStep], scratch: Connection
) -> tuple[list[_State], SharedObject | None]:
    """Run the steps in the scratch database and return its state after each."""
    states: list[_State] = []
    try:
        replay(
            context, steps, scratch, lambda inner: states.append(_state(scratch, scope_of(inner)))
        )
    except SharedObject as error:
        return states, error
    return states, None


def _state(connection: Connection, scope: Scope) -> _State:
    """Read all that lies in a schema; an extension belongs to the database, not to a revision."""
    with pinned(connection):
        return snapshot(
            record for kind in KINDS for record in kind.read(connection, scope) if record.schema
        )


def _compared(actual: _State, states: Sequence[_State], *, is_exact: bool) -> set[Identity]:
    """Say what counts: what the revisions make, and all that is on the tables that they make."""
    made = {identity for state in states for identity in state}
    if is_exact:
        made |= {
            identity
            for identity, record in actual.items()
            if ("table", record.schema, getattr(record, "table", "")) in made
        }
    return made


def _match(actual: _State, states: Sequence[_State], made: set[Identity]) -> int:
    """Count the steps up to the earliest of the last run of states that equal the actual one."""
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


def _is_begun(actual: _State, states: Sequence[_State], made: set[Identity]) -> bool:
    """Tell whether all that is there of ours is what the first revision makes: a killed run."""
    return bool(states) and all(
        identity not in actual or actual[identity] == states[0].get(identity) for identity in made
    )


def _unlike(
    actual: _State, states: Sequence[_State], steps: Sequence[RevisionStep], made: set[Identity]
) -> str:
    """Say which revision comes nearest, and what is different there."""
    wrong = [
        [identity for identity in sorted(made) if actual.get(identity) != state.get(identity)]
        for state in states
    ]
    nearest = min(range(len(states)), key=lambda number: (len(wrong[number]), -number))
    named = ", ".join(" ".join(identity) for identity in wrong[nearest][:5])
    more = f" and {len(wrong[nearest]) - 5} more" if len(wrong[nearest]) > 5 else ""
    return (
        "The database has tables of the models and no version row, and matches no revision; "
        f"it is nearest to {steps[nearest].revision.revision}, but for {named}{more}"
    )
