"""`pgmigrations adopt`: take over a database that node-pg-migrate has managed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

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
from pgmigrations.run.adoption import NODE_COLUMNS, convert, is_node_table, restore, take_node_lock
from pgmigrations.run.ledger import SUFFIX
from pgmigrations.run.lock import RunnerLock, runner_lock
from pgmigrations.run.place import Place, place_of
from pgmigrations.run.session import rows
from pgmigrations.run.working_session import second_session
from pgmigrations.settings import SECTION


class AdoptionRefused(PgMigrationsError):
    """The database is not what the revisions build, or there is nothing to adopt."""


def adopt(config: Config, *, keep: Collection[str] = (), undo: bool = False) -> None:
    """Make the ledger of node-pg-migrate's table, where the schema is one that the revisions build.

    The schema is compared with the one after each revision, which are built in a scratch database;
    the revision that it equals becomes the version. All of it is one transaction, under the lock
    of both tools.

    Args:
        config: Alembic's configuration of the project.
        keep: Tables that neither the revisions nor the models have, and that stay as they are.
        undo: Give the old table back instead.

    Raises:
        AdoptionRefused: The schema is another one, or there are tables that `keep` does not name.
        UnrecognisedDatabase: It equals none; the nearest revision and the differences are named.
        NotAdopted: There is nothing to undo, or revisions were run since.
        LockHeld, OtherToolAtWork: Somebody else works on the database.
    """
    directory = ScriptDirectory.from_config(config)

    def work(_heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        message = _undone(context) if undo else _adopted(context, directory, keep)
        config.print_stdout(message)
        return []

    config.attributes[ADOPTING] = True
    try:
        with EnvironmentContext(config, directory, fn=work):
            directory.run_env()
    finally:
        del config.attributes[ADOPTING]


def _adopted(context: MigrationContext, directory: ScriptDirectory, keep: Collection[str]) -> str:
    connection = context.connection
    settings = settings_of(context)
    assert connection is not None
    assert settings is not None
    place = place_of(context, settings.version_table)
    schema, table = place.schema, place.table
    driver: Any = connection.connection.dbapi_connection
    if not is_node_table(driver, schema, table):
        columns = ", ".join(sorted(NODE_COLUMNS))
        if is_adopted(driver, schema, table):
            return "Nothing to do: the database is adopted already"
        raise AdoptionRefused(f"{schema}.{table} is not node-pg-migrate's: it has not {columns}")
    upgrade = steps_from_nothing(directory)
    count = already_applied(context, upgrade, is_exact=True)
    if not count:
        raise AdoptionRefused(
            "The database holds no table of the models",
            "Write the first revision of what is there: pgmigrations revision --autogenerate",
        )
    _refuse_strangers(context, keep)
    head = upgrade[count - 1].revision.revision
    with _locked(context, place):
        take_node_lock(driver)
        names = rows(driver, f"SELECT name::text FROM {qualified(schema, table)}")
        if not is_node_table(driver, schema, table):
            return "Nothing to do: another run has adopted the database"
        convert(driver, schema, table, [head])
        driver.commit()
    floor = number_floor(name for (name,) in names)
    unwritten = _write(context, _new_settings(context, keep, floor))
    return f"Adopted at {head}: what node-pg-migrate ran stands in {table}{SUFFIX}{unwritten}"


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


def _refuse_strangers(context: MigrationContext, keep: Collection[str]) -> None:
    """Name the tables that are nobody's: autogenerate would propose to drop them."""
    assert context.connection is not None
    scope = scope_of(context)
    declared = {
        (table.schema or scope.default_schema, table.name)
        for metadata in metadatas_of(context)
        for table in metadata.tables.values()
    }
    kept = {relation(name, scope.default_schema) for name in keep}
    found = {
        record.identity[1:3]
        for kind in KINDS
        for record in kind.read(context.connection, scope)
        if record.identity[0] == "table"
    }
    strangers = sorted(".".join(one) for one in found - declared - kept)
    if strangers:
        named = ", ".join(strangers)
        raise AdoptionRefused(
            f"No model declares {named}",
            "Declare them, drop them, or leave them alone for good with --keep NAME, once for each",
        )
