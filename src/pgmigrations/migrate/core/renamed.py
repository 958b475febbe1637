"""The renames of a revision, forth and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pgmigrations.migrate.core.hint import Place
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, Snapshot


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

    def old_identity(self, record: Record, declared: Snapshot[Any]) -> Identity:
        """Return what identified an object before the renames.

        Args:
            record: The object, as it is called after them.
            declared: What the models declare, among it the tables that a new one inherits from.
        """
        kind, *place, _ = record.identity
        if getattr(record, "is_inherited", False):
            old = self._old_name(record.identity, declared)
        else:
            old = self._names.get(record.identity, record.name)
        return (kind, *self._old(tuple(place)), old)

    def _old_name(self, identity: Identity, declared: Snapshot[Any]) -> str:
        """Find a name before; what is inherited was renamed with what it comes from."""
        kind, *place, name = identity
        table = self.state.get(("table", *place)) or declared.get(("table", *place))
        others = [(kind, *parent, name) for parent in getattr(table, "parents", ())]
        found = self._names.get(identity)
        return found or next(
            (old for one in others if (old := self._old_name(one, declared)) != name), name
        )

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
