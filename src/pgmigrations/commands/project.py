"""A project's database for a command of ours, opened by the project's own env.py."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import is_external
from pgmigrations.run.ledger import Row, Status
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.place import Place, place_of

T = TypeVar("T")


def agreed(question: str) -> bool:
    """Ask a person; nobody has not agreed."""
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() == "y"


@dataclass(frozen=True)
class OpenProject:
    """A project while its database is open.

    Attributes:
        directory: Its revision files.
        context: Alembic's context, connected.
        heads: The version rows.
        place: The version table, and the ledger beside it.
    """

    directory: ScriptDirectory
    context: MigrationContext
    heads: frozenset[str]
    place: Place

    @property
    def driver(self) -> Any:
        """The connection as psycopg2 has it."""
        assert self.context.connection is not None
        return self.context.connection.connection.dbapi_connection

    def revisions(self) -> list[Script]:
        """Return the revision files, the first one first."""
        return list(self.directory.walk_revisions())[::-1]

    @property
    def ledger(self) -> LedgerTable:
        """The ledger's table."""
        return self.place.ledger

    def latest(self, among: Collection[Status] = frozenset(Status)) -> dict[str, Row]:
        """Return the last row of each revision; none where there is no ledger."""
        there = self.ledger.is_there(self.driver)
        return self.ledger.latest(self.driver, among) if there else {}


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
        # A transaction that env.py has begun is its own to end.
        if not is_external(context):
            connection.rollback()
        if not writes:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        done.append(work(OpenProject(directory, context, frozenset(heads), place_of(context))))
        return []

    try:
        with EnvironmentContext(config, directory, fn=run, dont_mutate=True):
            directory.run_env()
    except PgMigrationsError as error:
        raise CommandError(str(error)) from error
    return done[0]
