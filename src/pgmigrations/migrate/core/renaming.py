"""Renames: which hints hold, and what the database looks like once they are followed.

The renames are run on a copy of the database, and the comparison goes on with what the server says
of the copy then: no definition is ever rewritten here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.declared import read_all
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.execution import log, send
from pgmigrations.migrate.core.hint import Place, RenameHint
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, Snapshot

Copy: TypeAlias = Callable[[], AbstractContextManager[Connection]]

ROUNDS = 5
"""How often what follows a rename is looked for; each round renames what the last one has freed."""


_MOVE_ON = (
    "Names are moved on, or swapped, in several revisions: first to a name that is free, then to "
    "the one that has become free"
)


class RenameRefused(PgMigrationsError):
    """A hint that cannot be followed as it stands."""

    def __init__(self, hint: RenameHint, scope: Scope, what: str, advice: str) -> None:
        super().__init__(f"{said(hint, scope)} cannot be followed: {what}", advice)
        self.declared_at = hint.declared_at


class RenameFails(PgMigrationsError):
    """A rename that the server refuses on a copy of the database."""

    def __init__(self, operation: Operation, message: str) -> None:
        super().__init__(
            f"{operation.operation_name} of {operation.subject} fails: {message}",
            "Choose another name, or make this one free in a revision before",
        )


@dataclass(frozen=True)
class Step:
    """One rename.

    Attributes:
        kind: The kind of what is renamed.
        place: What the name is unique in, as it is called after all of them.
        old: The name before.
        new: The name afterwards.
    """

    kind: AnyKind
    place: Place
    old: str
    new: str


@dataclass(frozen=True)
class Renamed:
    """What the hints come to.

    Attributes:
        scope: What was looked at.
        steps: The renames, in the order in which they run: those of tables first.
        before: What the database holds before them, and is the project's business.
        state: What it holds after them.
    """

    scope: Scope
    steps: Sequence[Step]
    before: Snapshot[Any]
    state: Snapshot[Any]

    @property
    def operations(self) -> list[Operation]:
        """The operations that rename."""
        return [operation_of(one, self.scope) for one in self.steps]

    @property
    def operations_back(self) -> list[Operation]:
        """The operations that rename back, in an order in which they may be run again."""
        back = [
            replace(one, place=self._old(one.place), old=one.new, new=one.old) for one in self.steps
        ]
        return [operation_of(one, self.scope) for one in back]

    def old_identity(self, identity: Identity) -> Identity:
        """Return what identified an object before the renames, from what does after them."""
        kind, *place, name = identity
        old = self._names.get(identity, name)
        return (kind, *self._old(tuple(place)), old)

    def _old(self, place: Place) -> Place:
        return self._tables.get(place, place)

    @cached_property
    def _names(self) -> dict[Identity, str]:
        return {(one.kind.name, *one.place, one.new): one.old for one in self.steps}

    @cached_property
    def _tables(self) -> dict[Place, Place]:
        return {
            (*one.place, one.new): (*one.place, one.old)
            for one in self.steps
            if one.kind.name == "table"
        }


def operation_of(step: Step, scope: Scope) -> Operation:
    """Make the operation of a rename."""
    assert step.kind.renaming is not None
    operation = step.kind.renaming.operation(step.place, step.old, step.new, scope)
    assert isinstance(operation, Operation)
    return operation


def said(hint: RenameHint, scope: Scope) -> str:
    """Name a hint, and where it is."""
    schema = scope.shown_schema(hint.place[0])
    names = [*([schema] if schema else []), *hint.place[1:], hint.new]
    place = f" ({hint.declared_at})" if hint.declared_at else ""
    return f"The hint renamed_from({hint.old!r}) on {hint.kind} {'.'.join(names)}{place}"


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
    """
    found = [
        (kind, hint)
        for kind in kinds
        if kind.renaming is not None and kind.renaming.hints is not None
        for hint in kind.renaming.hints(difference.metadatas, difference.scope)
    ]
    # Tables first, since what is in one is spoken of by its new name.
    found.sort(key=lambda one: len(one[1].place))
    judge = _Judge(difference, context, [(kind.name, hint.place, hint.old) for kind, hint in found])
    holding = [(kind, hint) for kind, hint in found if judge.holds(kind, hint)]
    if not holding:
        return None
    with copy() as database:
        return _Trial(kinds, difference, database).run(holding, judge.moved)


class _Judge:
    """Tells which hints hold."""

    def __init__(
        self,
        difference: Difference,
        context: AutogenContext,
        wanted: Sequence[tuple[str, Place, str]],
    ) -> None:
        self._difference = difference
        self._context = context
        self._wanted = frozenset(wanted)
        self._taken: dict[tuple[str, Place, str], RenameHint] = {}
        self.moved: dict[Place, Place] = {}
        """(schema, name) of each renamed table to what it was."""

    def holds(self, kind: AnyKind, hint: RenameHint) -> bool:
        """Tell whether something is to be renamed."""
        found, declared = self._difference.found, self._difference.declared
        scope = self._difference.scope
        old_place = self.moved.get(hint.place, hint.place)
        is_old = _is_there(kind, found, old_place, hint.old)
        is_new = _is_there(kind, found, old_place, hint.new)
        is_kept = _is_there(kind, declared, hint.place, hint.old)
        if self._is_left_out(kind, hint):
            return False
        if is_old and is_new and (kind.name, hint.place, hint.new) in self._wanted:
            raise RenameRefused(hint, scope, f"by another hint {hint.new} moves on", _MOVE_ON)
        if is_new and (not is_old or is_kept):
            log.warning("%s is obsolete: the database has it. Remove the hint", said(hint, scope))
            return False
        if not is_old:
            if self._has_place(kind, hint, old_place):
                log.warning("%s names nothing that is there, so it is made", said(hint, scope))
            return False
        self._refuse(kind, hint, is_new=is_new, is_kept=is_kept)
        if kind.name == "table":
            self.moved[(*hint.place, hint.new)] = (*hint.place, hint.old)
        return True

    def _refuse(self, kind: AnyKind, hint: RenameHint, *, is_new: bool, is_kept: bool) -> None:
        scope = self._difference.scope
        if is_new:
            raise RenameRefused(
                hint,
                scope,
                f"the database has both, {hint.old} and {hint.new}",
                f"Without the hint {hint.old} is dropped: save what it holds first, if anything",
            )
        if is_kept:
            raise RenameRefused(
                hint,
                scope,
                f"the models declare {hint.old}, too",
                _MOVE_ON,
            )
        other = self._taken.setdefault((kind.name, hint.place, hint.old), hint)
        if other.new != hint.new:
            raise RenameRefused(
                hint, scope, f"{hint.old} is what {other.new} was, by another hint", "Remove one"
            )
        self._refuse_other_table(kind, hint)

    def _refuse_other_table(self, kind: AnyKind, hint: RenameHint) -> None:
        """Refuse an index, whose name is unique in its schema, that is on another table."""
        old = self._difference.found.get((kind.name, *hint.place, hint.old))
        new = self._difference.declared.get((kind.name, *hint.place, hint.new))
        if old is None or new is None or not (old.relation and new.relation):
            return
        if old.relation != self.moved.get(new.relation, new.relation):
            raise RenameRefused(
                hint,
                self._difference.scope,
                f"{hint.old} is in {'.'.join(old.relation)}",
                "Correct the name, or remove the hint",
            )

    def _is_left_out(self, kind: AnyKind, hint: RenameHint) -> bool:
        """Ask the project's `include_object` about it, and about its table."""
        record = self._difference.declared.get((kind.name, *hint.place, hint.new))
        for item, name, sort in (
            (hint.table, hint.table.name if hint.table is not None else "", "table"),
            (hint.item, hint.new, record.filter_type if record is not None else kind.name),
        ):
            if item is not None and not self._context.run_object_filters(
                item, name, cast(Any, sort), False, None
            ):
                return True
        return False

    def _has_place(self, kind: AnyKind, hint: RenameHint, place: Place) -> bool:
        """Tell whether the database has what the hint is in, so that it may be a slip."""
        if len(place) > 1:
            named = (("table", *place), (kind.name, *place))
            return any(identity in self._difference.found for identity in named)
        if kind.name == "table":
            found, declared = self._difference.found, self._difference.declared
            return any(identity[0] == "table" and identity in declared for identity in found)
        if hint.table is None:
            return False
        table = (hint.table.schema or self._difference.scope.default_schema, hint.table.name)
        return ("table", *self.moved.get(table, table)) in self._difference.found


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

        Of several that are the same the first is taken for the first.
        """
        for kind in self._kinds:
            if not _follows(kind):
                continue
            gone = _alone(kind, state, self._declared, touched)
            for new in _alone(kind, self._declared, state, touched):
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


def _is_there(kind: AnyKind, state: Snapshot[Any], place: Place, name: str) -> bool:
    assert kind.renaming is not None
    if kind.renaming.is_there is not None:
        return kind.renaming.is_there(state, place, name)
    return (kind.name, *place, name) in state


def _alone(
    kind: AnyKind, state: Snapshot[Any], other: Snapshot[Any], touched: set[Place]
) -> list[Record]:
    """Find what only one of two states has, in the tables that are touched or refer to them."""
    return sorted(
        (
            record
            for identity, record in state.items()
            if record.kind == kind.name
            and identity not in other
            and record.relation is not None
            and not touched.isdisjoint({record.relation, *record.referred_relations})
        ),
        key=lambda one: one.identity,
    )
