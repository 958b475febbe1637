"""A copy of the connected database's schema, in which a revision may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import steps_to_heads
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.dump import NoDump, schema_dump
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.core.own_server import own_server, roles_taken_back, stand_ins
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.migrate.core.snapshot import Scope, Snapshot
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.replay import replay
from pgmigrations.run.failure import DatabaseFailure

WITHOUT_PROOF = (
    "prove = false in [pgmigrations] of alembic.ini, or alembic -x prove=false revision …"
)


class NoCopy(PgMigrationsError):
    """The schema of the connected database cannot be made once more."""


@dataclass(frozen=True)
class _Way:
    """How a copy is made.

    Attributes:
        scratch_url: As in the settings.
        content: SQL that fills it; where None, the revisions are run again.
        elsewhere: SQL that makes what all databases of another server share.
    """

    scratch_url: str
    content: str | None
    elsewhere: str = ""


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
        self._is_own_preferred = False
        self._scope = scope
        self._found = found
        self._way: _Way | None = None

    def prefer_own_server(self) -> None:
        """Make them on an embedded server, if that can be, for what all databases share."""
        self._is_own_preferred = not self._scratch_url
        self._way = None

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """Make one, and drop it in the end.

        Raises:
            NoCopy: No way leads to what is there, and why.
        """
        with ExitStack() as stack:
            if self._way is None:
                yield self._first(stack)
            else:
                yield stack.enter_context(self._made(self._way))

    def _first(self, stack: ExitStack) -> Connection:
        """Make the first copy, and find out by which way."""
        own = own_server(self._target) if self._is_own_preferred else ""
        if own:
            try:
                return self._best(stack, own)
            except (PgMigrationsError, DBAPIError, OSError) as error:
                stack.close()
                log.warning("No copy is made on a server of its own: %s", _line(error))
        return self._best(stack, self._scratch_url)

    def _best(self, stack: ExitStack, scratch_url: str) -> Connection:
        try:
            content, elsewhere = self._scripts()
            return self._tried(stack, _Way(scratch_url, content, elsewhere))
        except (NoDump, NoCopy, DBAPIError) as error:
            stack.close()
            reason = _line(error)
        try:
            return self._tried(stack, _Way(scratch_url, None))
        except (DBAPIError, DatabaseFailure, NoCopy) as error:
            raise NoCopy(
                "No copy can be made of the schema of the database, which a proof and a rename "
                f"need: {reason}; and its revisions do not make it: {_line(error)}",
                "Install pg_dump of the server's version, or, where the models hint at no rename, "
                f"switch the proof off: {WITHOUT_PROOF}",
            ) from error

    def _tried(self, stack: ExitStack, way: _Way) -> Connection:
        copy = stack.enter_context(self._made(way))
        self._refuse_other(copy)
        self._way = way
        return copy

    @contextmanager
    def _made(self, way: _Way) -> Iterator[Connection]:
        with (
            roles_taken_back(self._target, way.scratch_url, self._scope),
            scratch_database(
                self._target,
                way.scratch_url,
                content=way.content or "",
                elsewhere=way.elsewhere,
            ) as scratch,
        ):
            if way.content is None:
                replay(self._context, steps_to_heads(self._context), scratch)
                scratch.rollback()
            yield scratch

    def _scripts(self) -> tuple[str, str]:
        """Write what fills a copy, and what is made on another server before."""
        here: list[str] = []
        elsewhere = [stand_ins(self._target, self._scope)]
        by_name = {kind.name: kind for kind in KINDS}
        for record in self._found.values():
            kind = by_name[record.kind]
            if kind.comparison is not None and kind.comparison.copied is not None:
                statements = elsewhere if kind.is_on_server else here
                statements += kind.comparison.copied(record)
        content = schema_dump(self._target)
        if here:
            # The dump leaves nothing on the path.
            path = f"SELECT pg_catalog.set_config('search_path', {literal(self._path())}, false)"
            content += "\n;\n".join([path, *here])
        return content, "\n;\n".join(elsewhere)

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
