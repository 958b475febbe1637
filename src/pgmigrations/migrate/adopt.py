"""`pgmigrations adopt`: take over a database that another tool has managed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import steps_from_nothing
from pgmigrations.migrate.core.options import metadatas_of, relation, scope_of, settings_of
from pgmigrations.migrate.core.quoting import qualified
from pgmigrations.migrate.ini import with_settings
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.recognition import already_applied
from pgmigrations.migrate.steps import ADOPTING
from pgmigrations.run.adoption import (
    NODE_COLUMNS,
    convert,
    is_node_table,
    restore,
    send,
    take_node_lock,
)
from pgmigrations.run.adoption_of_alembic import ALEMBIC_TABLE, alembic_rows, give_back, take_over
from pgmigrations.run.ledger import SUFFIX, Entry, Status
from pgmigrations.run.lock import RunnerLock, runner_lock
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
    done: list[str] = []

    def work(_heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        done.append(_undone(context) if undo else _adopted(context, directory, wishes))
        return []

    config.attributes[ADOPTING] = True
    try:
        with EnvironmentContext(config, directory, fn=work):
            directory.run_env()
    finally:
        del config.attributes[ADOPTING]
    if wishes.reconcile:
        command.revision(config, message="reconcile", autogenerate=True)
    return done[0]


def _adopted(context: MigrationContext, directory: ScriptDirectory, wishes: Wishes) -> str:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context, settings.version_table)
    schema, table = place.schema, place.table
    driver: Any = connection.connection.dbapi_connection
    if not is_node_table(driver, schema, table):
        if is_adopted(driver, schema, table):
            return "Nothing to do: the database is adopted already"
        found = alembic_rows(driver, schema)
        if not found or _version_rows(driver, schema, table):
            columns = ", ".join(sorted(NODE_COLUMNS))
            raise AdoptionRefused(
                f"{schema}.{table} is not node-pg-migrate's: it has not {columns}; and there are "
                f"no version rows of plain Alembic to take over in {ALEMBIC_TABLE}"
            )
        return _adopted_from_alembic(context, directory, wishes, found)
    head = _recognised(context, directory, wishes)
    dropped = _refuse_strangers(context, wishes)
    with _locked(context, place):
        take_node_lock(driver)
        names = rows(driver, f"SELECT name::text FROM {qualified(schema, table)}")
        if not is_node_table(driver, schema, table):
            return "Nothing to do: another run has adopted the database"
        convert(driver, schema, table, [head])
        send(driver, dropped)
        driver.commit()
    floor = number_floor(name for (name,) in names)
    unwritten = _write(context, _new_settings(context, wishes.keep, floor))
    return f"Adopted at {head}: what node-pg-migrate ran stands in {table}{SUFFIX}{unwritten}"


def _adopted_from_alembic(
    context: MigrationContext, directory: ScriptDirectory, wishes: Wishes, found: Sequence[str]
) -> str:
    """Take the version rows of plain Alembic over.

    Rows that name no revision of the project come from a history that it has left behind: then the
    schema tells.
    """
    assert context.connection is not None
    settings = settings_of(context)
    assert settings is not None
    place = place_of(context, settings.version_table)
    driver: Any = context.connection.connection.dbapi_connection
    heads = [*found] if _are_known(directory, found) else [_recognised(context, directory, wishes)]
    dropped = _refuse_strangers(context, wishes)
    entries = [
        Entry(str(one.revision), Status.ADOPTED, Path(one.path).stem, checksum=checksum_of(one))
        for one in reversed(list(directory.iterate_revisions(tuple(heads), "base")))
    ]
    with _locked(context, place):
        if not alembic_rows(driver, place.schema):
            return "Nothing to do: another run has adopted the database"
        take_over(driver, place.ledger, entries, heads)
        send(driver, dropped)
        driver.commit()
    unwritten = _write(context, _new_settings(context, wishes.keep, None))
    return (
        f"Adopted at {', '.join(heads)}: {ALEMBIC_TABLE} is left with a row that stops plain "
        f"Alembic{unwritten}"
    )


def _are_known(directory: ScriptDirectory, found: Sequence[str]) -> bool:
    return {*found} <= {str(script.revision) for script in directory.walk_revisions()}


def _version_rows(driver: Any, schema: str, table: str) -> bool:
    """Tell whether the project's own version table is there and has rows."""
    name = qualified(schema, table)
    if not rows(driver, "SELECT to_regclass(%s) IS NOT NULL", (name,))[0][0]:
        return False
    return bool(rows(driver, f"SELECT EXISTS (SELECT FROM {name})")[0][0])


def _recognised(context: MigrationContext, directory: ScriptDirectory, wishes: Wishes) -> str:
    """Return the revision whose schema the database has, or shall have."""
    upgrade = steps_from_nothing(directory)
    if wishes.reconcile and upgrade:
        return str(upgrade[-1].revision.revision)
    count = already_applied(context, upgrade, is_exact=True)
    if not count:
        raise AdoptionRefused(
            "The database holds no table of the models",
            "Write the first revision of what is there: pgmigrations revision --autogenerate",
        )
    return str(upgrade[count - 1].revision.revision)


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
        written["ignore_tables"] = " ".join(ignored)
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


def _undone(context: MigrationContext) -> str:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context, settings.version_table)
    driver: Any = connection.connection.dbapi_connection
    with _locked(context, place):
        if give_back(driver, place.ledger):
            driver.commit()
            return f"{ALEMBIC_TABLE} is plain Alembic's again"
        take_node_lock(driver)
        restore(driver, place.schema, place.table)
        driver.commit()
    return f"{place.table} is node-pg-migrate's again"


def _locked(context: MigrationContext, place: Place) -> AbstractContextManager[RunnerLock]:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    connection.rollback()
    return runner_lock(second_session(connection), place.keys, wait=settings.lock_wait)


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
    mistaken = sorted(".".join(one) for one in dropped - (found - declared))
    if mistaken:
        named = ", ".join(mistaken)
        raise AdoptionRefused(f"A model declares it, or it is not there to be dropped: {named}")
    strangers = sorted(".".join(one) for one in found - declared - kept - dropped)
    if strangers:
        named = ", ".join(strangers)
        raise AdoptionRefused(
            f"No model declares {named}",
            "Declare them, drop them with --drop NAME, or leave them alone for good with "
            "--keep NAME, once for each",
        )
    return [f"DROP TABLE {qualified(*one)}" for one in sorted(dropped)]
