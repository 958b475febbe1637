"""The proof of a revision: it is run, before it is written, on a copy of the database's schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from alembic.operations.ops import MigrationScript, OpContainer
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.alembic_private import operations_in, rendered_file
from pgmigrations.migrate.core.compare import Findings, phrased
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import said, settled
from pgmigrations.migrate.core.execution import silenced
from pgmigrations.migrate.core.guarded_session import SharedObject
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.order import append_left_over
from pgmigrations.migrate.core.report import described, named
from pgmigrations.migrate.core.snapshot import Change, Snapshot
from pgmigrations.run.failure import DependentObjects, explain

ROUNDS = 4
"""How often a revision is run, with what it has left over added, before it counts as failed."""

_SHOWN = 20


class ProofFailed(PgMigrationsError):
    """A revision that does not do what it was written for."""

    def __init__(self, what: str, left: Sequence[str] = ()) -> None:
        shown = [*left[:_SHOWN], *([f"… {len(left) - _SHOWN} more"] if len(left) > _SHOWN else [])]
        super().__init__(": ".join([what, "; ".join(shown)]) if shown else what)
        self.left = left


class Proof:
    """Runs a revision on copies of the old state, and adds to it what it has left over.

    Upgrade must land on what the models declare, upgrade once more change nothing, and downgrade
    land on the old state. What an operation could not say, such as the storage of a new table's
    column, is left over by the first run; it is phrased, added, and all of it is run again.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        migration: The context of `alembic revision --autogenerate`.
        script: The revision; operations may be added to it.
        findings: What the comparison has found, with what makes copies of the old state.
    """

    def __init__(
        self,
        kinds: Sequence[AnyKind],
        migration: MigrationContext,
        script: MigrationScript,
        findings: Findings,
    ) -> None:
        self._kinds = kinds
        self._migration = migration
        self._script = script
        self._findings = findings

    def run(self, *, mending: bool = True) -> None:
        """Run it until it lands where it should.

        Args:
            mending: Whether what it has left over is added to it.

        Raises:
            ProofFailed: With what is different, or the error that it has met.
        """
        for number in reversed(range(ROUNDS if mending else 1)):
            what, left = self._round(is_last=number == 0)
            if not left:
                return
        raise ProofFailed(what, [f"{named(one.record)}: {described(one)}" for one in left])

    def _round(self, *, is_last: bool) -> tuple[str, list[Change[Any]]]:
        """Run it once; return what is left over, and add operations for it unless that was all."""
        difference = self._findings.difference
        module = _loaded(rendered_file(self._migration, self._script), str(self._script.rev_id))
        with self._findings.copy() as copy:
            start = self._read(copy)
            self._perform(copy, module, "upgrade")
            state = self._read(copy)
            wanted = self._expected(state)
            left = self._left(copy, state, wanted)
            if left:
                if not is_last:
                    forward = Difference(
                        difference.scope, state, wanted, difference.metadatas, server=copy
                    )
                    self._add(self._script.upgrade_ops_list[-1], left, forward)
                return "after the upgrade", left
            self._perform(copy, module, "upgrade")
            again = self._left(copy, state, self._read(copy))
            if again:
                names = [f"{named(one.record)}: {described(one)}" for one in again]
                raise ProofFailed("Run a second time, the upgrade changes something", names)
            self._perform(copy, module, "downgrade")
            state = self._read(copy)
            left = self._left(copy, state, start)
            if left and not is_last:
                backward = Difference(difference.scope, state, start, (), server=copy)
                self._add(self._script.downgrade_ops_list[-1], left, backward)
            return "after the downgrade", left

    def _read(self, copy: Connection) -> Snapshot[Any]:
        found = read_all(copy, self._kinds, self._findings.difference.scope)
        copy.rollback()
        return found

    def _expected(self, state: Snapshot[Any]) -> Snapshot[Any]:
        """Say what the upgrade should leave; what a declaration leaves open is as it came out."""
        difference = self._findings.difference
        wanted = {key: one.restored() for key, one in difference.found.items()}
        for change in self._findings.changes:
            if change.after is None:
                wanted.pop(change.record.identity, None)
            else:
                wanted[change.record.identity] = change.after
        found = said(
            self._kinds, difference.metadatas, difference.scope, difference.declared, state
        )
        return wanted | {key: one for key, one in found.items() if key in wanted}

    def _left(
        self, copy: Connection, state: Snapshot[Any], wanted: Snapshot[Any]
    ) -> list[Change[Any]]:
        try:
            return list(settled(self._kinds, copy, state, wanted))
        finally:
            copy.rollback()

    def _add(
        self, container: OpContainer, left: Sequence[Change[Any]], difference: Difference
    ) -> None:
        """Let a revision do the rest at its end."""
        differing = frozenset(change.record.identity for change in left)
        difference = dataclasses.replace(difference, differing=differing)
        try:
            rest = list(phrased(self._kinds, left, difference))
        except PgMigrationsError as error:
            raise ProofFailed(str(error)) from error
        append_left_over(container, rest, self._kinds)

    def _perform(self, copy: Connection, module: ModuleType, function: str) -> None:
        options = {**self._migration.opts, "fn": lambda _heads, _context: []}
        try:
            with silenced("alembic.runtime.migration", "pgmigrations"):
                inner = MigrationContext.configure(connection=copy, opts=options)
                with operations_in(inner), inner.begin_transaction(_per_migration=True):
                    getattr(module, function)()
        except SharedObject:
            raise
        # Whatever else a revision raises, it does not run.
        except Exception as error:
            raise ProofFailed(f"Its {function}() fails: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        failure = explain(error)
        if isinstance(failure, DependentObjects):
            return str(failure)
    original = error.orig if isinstance(error, DBAPIError) else error
    return str(original).partition("\n")[0]


def _loaded(source: str, name: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(source, f"<revision {name}>", "exec"), module.__dict__)
    return module
