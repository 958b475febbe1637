"""A project's database for a command of ours, opened by the project's own env.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.run.ledger import Row
from pgmigrations.run.ledger_table import LedgerTable

T = TypeVar("T")


@dataclass(frozen=True)
class OpenProject:
    """A project while its database is open.

    Attributes:
        directory: Its revision files.
        context: Alembic's context, connected.
        heads: The version rows.
        ledger: The ledger's table.
    """

    directory: ScriptDirectory
    context: MigrationContext
    heads: frozenset[str]
    ledger: LedgerTable

    @property
    def driver(self) -> Any:
        """The connection as psycopg2 has it."""
        assert self.context.connection is not None
        return self.context.connection.connection.dbapi_connection

    def revisions(self) -> list[Script]:
        """Return the revision files, the first one first."""
        return list(self.directory.walk_revisions())[::-1]

    def latest(self) -> dict[str, Row]:
        """Return the last row of each revision; none where there is no ledger."""
        return self.ledger.latest(self.driver) if self.ledger.is_there(self.driver) else {}


def with_project(config: Config, work: Callable[[OpenProject], T], *, writes: bool = False) -> T:
    """Open the project's database for a command, and close it.

    Args:
        config: Alembic's configuration of the project.
        work: What the command does; its transaction is rolled back, unless it commits.
        writes: Whether it may write; else the transaction is READ ONLY.
    """
    directory = ScriptDirectory.from_config(config)
    done: list[T] = []

    def run(heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        connection = context.connection
        assert connection is not None
        connection.rollback()
        if not writes:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        schema = "SELECT coalesce(current_schema()::text, 'public')"
        table = version_table_of(context)
        place = table.schema or str(connection.exec_driver_sql(schema).scalar_one())
        opened = OpenProject(directory, context, frozenset(heads), LedgerTable(place, table.name))
        done.append(work(opened))
        return []

    try:
        with EnvironmentContext(config, directory, fn=run, dont_mutate=True):
            directory.run_env()
    except PgMigrationsError as error:
        raise CommandError(str(error)) from error
    return done[0]
