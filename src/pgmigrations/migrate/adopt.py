"""`pgmigrations adopt`: take over a database that another tool has managed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.branch import parents_of
from pgmigrations.migrate.core.alembic_private import steps_from_nothing
from pgmigrations.migrate.core.options import metadatas_of, relation, scope_of, settings_of
from pgmigrations.migrate.core.quoting import qualified
from pgmigrations.migrate.ini import with_settings
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.recognition import UnrecognisedDatabase, already_applied
from pgmigrations.migrate.steps import ADOPTING
from pgmigrations.run.adoption import (
    NODE_COLUMNS,
    convert,
    is_node_table,
    restore,
    send,
    take_node_lock,
)
from pgmigrations.run.adoption_of_alembic import (
    ALEMBIC_TABLE,
    AlembicRows,
    alembic_rows,
    give_back,
    take_over,
)
from pgmigrations.run.interruption import cancellable, interruptible
from pgmigrations.run.ledger import SUFFIX, Entry, Status
from pgmigrations.run.lock import runner_lock
from pgmigrations.run.place import Place, place_of
from pgmigrations.run.session import rows
from pgmigrations.run.step import checksum_of
from pgmigrations.run.working_session import second_session
from pgmigrations.settings import SECTION


class AdoptionRefused(PgMigrationsError):
    """The database is not what the revisions build, or there is nothing to adopt."""


@dataclass(frozen=True)
class Wishes:
    """What `pgmigrations adopt` is told.

    Attributes:
        keep: Tables that neither the revisions nor the models have, and that stay as they are.
        drop: Those that are dropped; undoing does not bring them back.
        reconcile: Whether a schema that no revision builds counts as the newest one's, and a
            revision is written that makes it so.
    """

    keep: Collection[str] = ()
    drop: Collection[str] = ()
    reconcile: bool = False


def adopt(config: Config, wishes: Wishes = Wishes(), *, undo: bool = False) -> str:
    """Make the ledger of node-pg-migrate's table, or of the version rows of plain Alembic.

    The schema is compared with the one after each revision, which are built in a scratch database;
    the revision that it equals becomes the version. Version rows of plain Alembic that name
    revisions of the project are believed. All of it is one transaction, under the lock of both
    tools.

    Args:
        config: Alembic's configuration of the project.
        wishes: What is to become of what differs.
        undo: Give the old table back instead.

    Returns:
        What was done, in a sentence.

    Raises:
        AdoptionRefused: The schema is another one, or there are tables that `keep` does not name.
        UnrecognisedDatabase: It equals none; the nearest revision and the differences are named.
        NotAdopted: There is nothing to undo, or revisions were run since.
        LockHeld, OtherToolAtWork: Somebody else works on the database.
    """
    directory = ScriptDirectory.from_config(config)
    done: list[_Done] = []

    def work(_heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        done.append(_undone(context) if undo else _adopted(context, directory, wishes))
        return []

    config.attributes[ADOPTING] = True
    try:
        with EnvironmentContext(config, directory, fn=work):
            directory.run_env()
    finally:
        del config.attributes[ADOPTING]
    if wishes.reconcile and done[0].is_adopted_now:
        command.revision(config, message="reconcile", autogenerate=True)
    return done[0].said


@dataclass(frozen=True)
class _Done:
    """What was done, in a sentence, and whether it was an adoption."""

    said: str
    is_adopted_now: bool = False


def _adopted(context: MigrationContext, directory: ScriptDirectory, wishes: Wishes) -> _Done:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context, settings.version_table)
    schema, table = place.schema, place.table
    driver: Any = connection.connection.dbapi_connection
    _refuse_contradictions(wishes)
    if not is_node_table(driver, schema, table):
        if is_adopted(driver, schema, table):
            unwritten = _write(context, _new_settings(context, wishes.keep, None))
            return _Done(f"Nothing to do: the database is adopted already{unwritten}")
        if _version_rows(driver, schema, table):
            raise AdoptionRefused(f"{schema}.{table} has version rows of its own already")
        found = alembic_rows(driver, schema)
        if found is None or not found.rows:
            columns = ", ".join(sorted(NODE_COLUMNS))
            raise AdoptionRefused(
                f"There is nothing to adopt: {schema}.{table} is no table with the columns of "
                f"node-pg-migrate's ({columns}), and no table {ALEMBIC_TABLE} has version rows"
            )
        return _adopted_from_alembic(context, directory, wishes, found)
    heads = _recognised(context, directory, wishes)
    dropped = _refuse_strangers(context, wishes)
    names = rows(driver, f"SELECT name::text FROM {qualified(schema, table)}")
    floor = number_floor(name for (name,) in names)
    # Before it is adopted: what is kept must be known as such to whoever comes next.
    unwritten = _write(context, _new_settings(context, wishes.keep, floor))
    with _locked(context, place):
        take_node_lock(driver)
        if not is_node_table(driver, schema, table):
            return _Done("Nothing to do: another run has adopted the database")
        convert(driver, schema, table, heads, _entries(directory, heads, Status.STAMPED))
        send(driver, dropped)
        driver.commit()
    named = ", ".join(heads)
    said = f"Adopted at {named}: what node-pg-migrate ran stands in {table}{SUFFIX}{unwritten}"
    return _Done(said, is_adopted_now=True)


def _adopted_from_alembic(
    context: MigrationContext, directory: ScriptDirectory, wishes: Wishes, found: AlembicRows
) -> _Done:
    """Take the version rows of plain Alembic over.

    Rows that name no revision of the project come from a history that it has left behind: then the
    schema tells.
    """
    assert context.connection is not None
    settings = settings_of(context)
    assert settings is not None
    place = place_of(context, settings.version_table)
    driver: Any = context.connection.connection.dbapi_connection
    heads = _known(directory, found) or _recognised(context, directory, wishes)
    if wishes.reconcile and {*heads} != {*directory.get_heads()}:
        raise AdoptionRefused(
            f"The database is at {', '.join(heads)}, and later revisions are pending: there is "
            "nothing to reconcile yet",
            "Adopt it, upgrade it, and run pgmigrations revision --autogenerate",
        )
    dropped = _refuse_strangers(context, wishes)
    entries = _entries(directory, heads, Status.ADOPTED)
    unwritten = _write(context, _new_settings(context, wishes.keep, None))
    with _locked(context, place):
        take_over(driver, place.ledger, found, entries, heads)
        send(driver, dropped)
        driver.commit()
    said = (
        f"Adopted at {', '.join(heads)}: {ALEMBIC_TABLE} is left with a row that stops plain "
        f"Alembic{unwritten}"
    )
    return _Done(said, is_adopted_now=True)


def _entries(directory: ScriptDirectory, heads: list[str], status: Status) -> list[Entry]:
    """Return the rows of the ledger of all revisions that a database has."""
    return [
        Entry(str(one.revision), status, Path(one.path).stem, checksum=checksum_of(one))
        for one in reversed(list(directory.iterate_revisions(tuple(heads), "base")))
    ]


def _known(directory: ScriptDirectory, found: AlembicRows) -> list[str]:
    """Return the rows if they name revisions of the project; none if they name none."""
    known = {str(script.revision) for script in directory.walk_revisions()}
    strange = [one for one in found.rows if one not in known]
    if 0 < len(strange) < len(found.rows):
        raise AdoptionRefused(
            f"{ALEMBIC_TABLE} also has rows that name no revision here: {', '.join(strange)}",
            "They are another application's: give it a version table of its own first",
        )
    return [] if strange else list(found.rows)


def _version_rows(driver: Any, schema: str, table: str) -> bool:
    """Tell whether the project's own version table is there and has rows."""
    name = qualified(schema, table)
    if not rows(driver, "SELECT to_regclass(%s) IS NOT NULL", (name,))[0][0]:
        return False
    return bool(rows(driver, f"SELECT EXISTS (SELECT FROM {name})")[0][0])


def _recognised(context: MigrationContext, directory: ScriptDirectory, wishes: Wishes) -> list[str]:
    """Return the revisions whose schema the database has, or shall have."""
    upgrade = steps_from_nothing(directory)
    if not upgrade:
        raise AdoptionRefused(
            "There is no revision file yet",
            "Write the first one, of what is there: on an empty database, pgmigrations revision "
            "--autogenerate",
        )
    if wishes.reconcile:
        return sorted(directory.get_heads())
    try:
        count = already_applied(context, upgrade, is_exact=True)
    except UnrecognisedDatabase as error:
        raise AdoptionRefused(
            error.what, "Let a revision make up for what differs: pgmigrations adopt --reconcile"
        ) from error
    if not count:
        raise AdoptionRefused(
            "The database holds no table of the models",
            "Write the first revision of what is there: pgmigrations revision --autogenerate",
        )
    done = [step.revision for step in upgrade[:count]]
    followed = {
        parent for one in done for parent in (*parents_of(one), *to_tuple(one.dependencies, ()))
    }
    return sorted(str(one.revision) for one in done if one.revision not in followed)


def number_floor(names: Iterable[str]) -> int | None:
    """Return the number that new revisions begin with, after those of another tool.

    A lone number far above the rest, such as that of a `999_` which was to come last, does not
    count, and timestamps are no numbers.

    Example:
        >>> number_floor(["001_users", "010_a", "010_b", "015_c", "999_last"])
        16

    Args:
        names: Those in node-pg-migrate's table.
    """
    digits = {name.partition("_")[0] for name in names}
    numbers = sorted({int(one) for one in digits if one.isdecimal() and len(one) < _TIMESTAMP})
    if len(numbers) > 1 and numbers[-1] > 10 * numbers[-2] + 10:
        numbers.pop()
    return numbers[-1] + 1 if numbers else None


_TIMESTAMP = 10


def _new_settings(
    context: MigrationContext, keep: Collection[str], floor: int | None
) -> dict[str, str]:
    """Return what alembic.ini is to say: what is left alone, and where new numbers begin."""
    settings = settings_of(context)
    assert settings is not None
    written: dict[str, str] = {}
    ignored = dict.fromkeys([*settings.ignore_tables, *keep])
    if len(ignored) > len(settings.ignore_tables):
        written["ignore_tables"] = " ".join(ignored).replace("%", "%%")
    if floor is not None and floor > settings.revision_number_floor:
        written["revision_number_floor"] = str(floor)
    return written


def _write(context: MigrationContext, values: Mapping[str, str]) -> str:
    """Write settings into alembic.ini; return what to write by hand where that fails."""
    assert context.config is not None
    path = Path(context.config.config_file_name or "alembic.ini")
    try:
        old = path.read_text(encoding="utf-8")
        if values:
            path.write_text(with_settings(old, SECTION, values), encoding="utf-8")
    except OSError as error:
        lines = "; ".join(f"{key} = {value}" for key, value in values.items())
        return f". {path.name} cannot be written ({error.strerror}): add to [{SECTION}] {lines}"
    return ""


def _undone(context: MigrationContext) -> _Done:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context, settings.version_table)
    driver: Any = connection.connection.dbapi_connection
    with _locked(context, place):
        if give_back(driver, place.ledger):
            driver.commit()
            return _Done(f"{ALEMBIC_TABLE} is plain Alembic's again")
        take_node_lock(driver)
        restore(driver, place.schema, place.table)
        driver.commit()
    return _Done(f"{place.table} is node-pg-migrate's again")


@contextmanager
def _locked(context: MigrationContext, place: Place) -> Iterator[None]:
    """Hold the lock; nobody queues for long behind a table that is waited for."""
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    connection.rollback()
    driver: Any = connection.connection.dbapi_connection
    second = second_session(connection)
    with (
        interruptible(),
        cancellable(connection),
        runner_lock(second, place.keys, wait=settings.lock_wait),
    ):
        rows(driver, "SELECT pg_catalog.set_config('lock_timeout', %s, true)", (_PATIENCE,))
        yield


_PATIENCE = "1s"


def _refuse_contradictions(wishes: Wishes) -> None:
    both = sorted({*wishes.keep} & {*wishes.drop})
    if both:
        raise AdoptionRefused(f"To be kept and to be dropped: {', '.join(both)}")
    unsayable = [one for one in wishes.keep if len(one.split()) != 1 or "," in one]
    if unsayable:
        raise AdoptionRefused(
            f"ignore_tables of alembic.ini cannot name {', '.join(map(repr, unsayable))}",
            "Leave it out by include_name in env.py, or rename it",
        )


def is_adopted(driver: Any, schema: str, table: str) -> bool:
    """Tell whether the ledger was another tool's table."""
    name = qualified(schema, table + SUFFIX)
    if not rows(driver, "SELECT to_regclass(%s) IS NOT NULL", (name,))[0][0]:
        return False
    query = f"SELECT EXISTS (SELECT FROM {name} WHERE status = 'adopted')"
    return bool(rows(driver, query)[0][0])


def _refuse_strangers(context: MigrationContext, wishes: Wishes) -> list[str]:
    """Name the tables that are nobody's: autogenerate would propose to drop them.

    Returns:
        The statements that drop those that are to go.
    """
    assert context.connection is not None
    scope = scope_of(context)
    declared = {
        (table.schema or scope.default_schema, table.name)
        for metadata in metadatas_of(context)
        for table in metadata.tables.values()
    }
    kept = {relation(name, scope.default_schema) for name in wishes.keep}
    found = {
        record.identity[1:3]
        for kind in KINDS
        for record in kind.read(context.connection, scope)
        if record.identity[0] == "table"
    }
    found.discard((scope.default_schema, ALEMBIC_TABLE))
    dropped = {relation(name, scope.default_schema) for name in wishes.drop}
    mistaken = sorted(".".join(one) for one in (dropped | kept) - (found - declared))
    if mistaken:
        named = ", ".join(mistaken)
        raise AdoptionRefused(f"Neither kept nor dropped can be what a model declares: {named}")
    strangers = sorted(".".join(one) for one in found - declared - kept - dropped)
    if strangers:
        named = ", ".join(strangers)
        raise AdoptionRefused(
            f"No model declares {named}",
            "Declare them, drop them with --drop NAME, or leave them alone for good with "
            "--keep NAME, once for each",
        )
    names = ", ".join(qualified(*one) for one in sorted(dropped))
    return [f"DROP TABLE {names}"] if dropped else []
