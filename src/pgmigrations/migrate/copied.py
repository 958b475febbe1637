"""A copy of the connected database's schema, in which a revision may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import steps_to_heads
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.dump import NoDump, schema_dump
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.core.own_server import own_server, roles_taken_back, stand_ins
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Scope, Snapshot
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.replay import replay
from pgmigrations.run.failure import DatabaseFailure


class NoCopy(PgMigrationsError):
    """The schema of the connected database cannot be made once more."""


class CopiedDatabase:
    """Makes copies of a database's schema: from a dump, else by running its revisions again.

    Args:
        context: The connected context.
        scope: What is looked at.
        found: What is in the database; a copy that differs from it is not used.
    """

    def __init__(self, context: MigrationContext, scope: Scope, found: Snapshot[Any]) -> None:
        settings = settings_of(context)
        assert context.connection is not None
        assert settings is not None
        self._context = context
        self._target = context.connection
        self._scratch_url = settings.scratch_url
        self._scope = scope
        self._found = found
        self._content: str | None = None

    def prefer_own_server(self) -> None:
        """Make them on an embedded server, if that can be, for what all databases share."""
        self._scratch_url = self._scratch_url or own_server(self._target)

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """Make one, and drop it in the end.

        Raises:
            NoCopy: Neither way leads to what is there, and why.
        """
        with ExitStack() as stack:
            if self._content is None:
                yield self._first(stack)
            elif self._content:
                yield stack.enter_context(self._scratch(self._content))
            else:
                yield self._replayed(stack)

    def _first(self, stack: ExitStack) -> Connection:
        """Make the first copy, and find out by which of the two ways."""
        try:
            content = schema_dump(self._target) + self._beside()
            copy = stack.enter_context(self._scratch(content))
            self._refuse_other(copy)
        except (NoDump, NoCopy, DBAPIError) as error:
            stack.close()
            reason = _line(error)
        else:
            self._content = content
            return copy
        try:
            copy = self._replayed(stack)
            self._refuse_other(copy)
        except (DBAPIError, DatabaseFailure, NoCopy) as error:
            raise NoCopy(
                "No copy can be made of the schema of the database, which a proof and a rename "
                f"need: {reason}; and its revisions do not make it: {_line(error)}",
                "Install pg_dump of the server's version, or, where the models hint at no rename, "
                "switch the proof off: prove = false in [pgmigrations] of alembic.ini, or alembic "
                "-x prove=false revision …",
            ) from error
        self._content = ""
        return copy

    def _replayed(self, stack: ExitStack) -> Connection:
        copy = stack.enter_context(self._scratch(""))
        replay(self._context, steps_to_heads(self._context), copy)
        copy.rollback()
        return copy

    @contextmanager
    def _scratch(self, content: str) -> Iterator[Connection]:
        with (
            roles_taken_back(self._target, self._scratch_url, self._scope),
            scratch_database(self._target, self._scratch_url, content=content) as scratch,
        ):
            yield scratch

    def _beside(self) -> str:
        """Write what makes what no dump brings along, on whatever server the copy is."""
        by_kind = {kind.name: kind.comparison for kind in KINDS}
        statements: list[str] = []
        for record in self._found.values():
            comparison = by_kind[record.kind]
            if comparison is not None and comparison.copied is not None:
                statements += comparison.copied(record)
        if not statements:
            return ""
        # The dump leaves nothing on the path.
        path = f"SELECT pg_catalog.set_config('search_path', {literal(self._path())}, false)"
        return "\n;\n".join([path, stand_ins(self._target, self._scope), *statements])

    def _path(self) -> str:
        return str(self._target.execute(text("SHOW search_path")).scalar_one())

    def _refuse_other(self, copy: Connection) -> None:
        state = read_all(copy, KINDS, self._scope)
        found = {key: one.restored() for key, one in self._found.items()}
        other = list(settled(KINDS, copy, found, state))
        copy.rollback()
        if other:
            named = ", ".join(" ".join(one.record.identity) for one in other[:5])
            raise NoCopy(f"the copy differs in {named}")


def _line(error: Exception) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(original).partition("\n")[0]
