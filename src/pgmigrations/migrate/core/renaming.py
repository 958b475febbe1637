"""Renames: which hints hold, and what the database looks like once they are followed.

The renames are run on a copy of the database, and the comparison goes on with what the server says
of the copy then: no definition is ever rewritten here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeAlias

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.execution import send
from pgmigrations.migrate.core.hint import Place, RenameHint
from pgmigrations.migrate.core.hint_judge import HintJudge
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.renamed import Renamed, Step, operation_of
from pgmigrations.migrate.core.snapshot import Identity, Record, Snapshot, relation_names

Copy: TypeAlias = Callable[[], AbstractContextManager[Connection]]

ROUNDS = 5
"""How often what follows a rename is looked for; each round renames what the last one has freed."""


class RenameFails(PgMigrationsError):
    """A rename that the server refuses on a copy of the database."""

    def __init__(self, operation: Operation, message: str) -> None:
        super().__init__(
            f"{operation.operation_name} of {operation.subject} fails: {message}",
            "Choose another name, or make this one free in a revision before",
        )


def followed(
    kinds: Sequence[AnyKind], context: AutogenContext, difference: Difference, copy: Copy
) -> Renamed | None:
    """Follow the hints of the models, and report those that are obsolete.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        context: Alembic's context of this comparison; its `include_object` is asked.
        difference: What differs while the renames are not counted as such.
        copy: Makes a copy of the database; it is not asked for where no hint holds.

    Returns:
        None where there is nothing to rename.

    Raises:
        RenameRefused: A hint contradicts the database or another part of the models.
        RenameFails: The server refuses a rename.
    """
    found = [
        (kind, hint)
        for kind in kinds
        if kind.renaming is not None and kind.renaming.hints is not None
        for hint in kind.renaming.hints(difference.metadatas, difference.scope)
    ]
    # Tables first, since what is in one is spoken of by its new name.
    found.sort(key=lambda one: len(one[1].place))
    judge = HintJudge(
        difference, context, [(kind.name, hint.place, hint.old) for kind, hint in found]
    )
    holding = [(kind, hint) for kind, hint in found if judge.holds(kind, hint)]
    if not holding:
        return None
    with copy() as database:
        return _Trial(kinds, difference, database).run(holding, judge.moved)


class _Trial:
    """Runs renames on a copy."""

    def __init__(
        self, kinds: Sequence[AnyKind], difference: Difference, database: Connection
    ) -> None:
        self._kinds = kinds
        self._scope = difference.scope
        self._found = difference.found
        self._declared = difference.declared
        self._database = database
        self._declared_names = relation_names(difference.declared)
        self._before = difference.actual
        self._steps: list[Step] = []
        self._start = read_all(database, kinds, self._scope)

    def run(
        self, hints: Sequence[tuple[AnyKind, RenameHint]], moved: Mapping[Place, Place]
    ) -> Renamed:
        """Follow the hints, then rename what had its name from them."""
        # What follows another's name gives none itself.
        naming = {hint.place for kind, hint in hints if not _follows(kind)}
        touched = {*moved, *naming}
        for kind, hint in hints:
            self._rename(Step(kind, hint.place, hint.old, hint.new))
        state = read_all(self._database, self._kinds, self._scope)
        for _ in range(ROUNDS):
            count = len(self._steps)
            for kind, old, new in list(self._following(state, touched)):
                self._rename(Step(kind, new.identity[1:-1], old.name, new.name))
            if len(self._steps) == count:
                break
            state = read_all(self._database, self._kinds, self._scope)
        self._database.rollback()
        return Renamed(self._scope, self._steps, self._before, self._merged(state))

    def _rename(self, step: Step) -> None:
        operation = operation_of(step, self._scope)
        try:
            for statement in operation.statements():
                send(self._database, statement)
        except DBAPIError as error:
            raise RenameFails(operation, str(error.orig).partition("\n")[0]) from error
        self._steps.append(step)

    def _following(
        self, state: Snapshot[Any], touched: set[Place]
    ) -> Iterator[tuple[AnyKind, Record, Record]]:
        """Yield what a renamed table or column has given its name to, and is the same otherwise.

        Of several that are the same the first is taken for the first. Where a name is somebody
        else's before or afterwards, it is not free for a rename that comes first.
        """
        names = relation_names(state)
        for kind in self._kinds:
            if not _follows(kind):
                continue
            gone = _alone(kind, state, self._declared, touched, self._declared_names)
            for new in _alone(kind, self._declared, state, touched, names):
                for old in gone:
                    if old.relation == new.relation and self._is_same(kind, old, new):
                        gone.remove(old)
                        yield kind, old, new
                        break

    def _is_same(self, kind: AnyKind, old: Record, new: Record) -> bool:
        assert kind.renaming is not None
        assert kind.renaming.follows is not None
        called = kind.renaming.follows(old, new)
        before, after = {new.identity: called}, {new.identity: new}
        return not list(settled(self._kinds, self._database, before, after))

    def _merged(self, state: Snapshot[Any]) -> Snapshot[Any]:
        """Keep what the renames have left alone as the database itself shows it.

        A copy tells nothing of owners, and an index that is not valid is whole in it.
        """
        merged: dict[Identity, Record] = {}
        for identity, record in state.items():
            found = self._found.get(identity)
            if found is None or self._start.get(identity) != record:
                merged[identity] = record
            elif found == record:
                merged[identity] = replace(record, is_ours=found.is_ours)
            else:
                merged[identity] = replace(found, used_by=record.used_by)
        return merged


def _follows(kind: AnyKind) -> bool:
    return kind.renaming is not None and kind.renaming.follows is not None


def _alone(
    kind: AnyKind,
    state: Snapshot[Any],
    other: Snapshot[Any],
    touched: set[Place],
    taken: set[tuple[str, str]],
) -> list[Record]:
    """Find what only one of two states has, in the tables that are touched or refer to them.

    What has a name that is taken in the other is left out.
    """
    return sorted(
        (
            record
            for identity, record in state.items()
            if record.kind == kind.name
            and identity not in other
            and not (record.takes_relation_name and (record.schema, record.name) in taken)
            and record.relation is not None
            and not touched.isdisjoint({record.relation, *record.referred_relations})
        ),
        key=lambda one: one.identity,
    )
