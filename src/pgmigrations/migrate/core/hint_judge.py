"""Which hints at renames hold, and which are obsolete or contradict something."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from alembic.autogenerate.api import AutogenContext

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.hint import Place, RenameHint
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.snapshot import Scope, Snapshot, relation_names

_MOVE_ON = (
    "Names are moved on, or swapped, in several revisions: first to a name that is free, then to "
    "the one that has become free"
)


class RenameRefused(PgMigrationsError):
    """A hint that cannot be followed as it stands."""

    def __init__(self, hint: RenameHint, scope: Scope, what: str, advice: str) -> None:
        super().__init__(f"{said(hint, scope)} cannot be followed: {what}", advice)
        self.declared_at = hint.declared_at


class HintJudge:
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

    @cached_property
    def _declared_names(self) -> set[tuple[str, str]]:
        # Where there is no hint, no record need be made.
        return relation_names(self._difference.declared)

    @cached_property
    def _declared_types(self) -> set[tuple[str, str]]:
        declared = self._difference.declared.values()
        return {(one.schema, one.name) for one in declared if one.takes_type_name}

    def holds(self, kind: AnyKind, hint: RenameHint) -> bool:
        """Tell whether something is to be renamed."""
        found, declared = self._difference.found, self._difference.declared
        scope = self._difference.scope
        old_place = self.moved.get(hint.place, hint.place)
        is_old = _is_there(kind, found, old_place, hint.old)
        is_new = _is_there(kind, found, old_place, hint.new)
        is_kept = _is_there(kind, declared, hint.place, hint.old)
        record = declared.get((kind.name, *hint.place, hint.new))
        if record is not None and record.takes_relation_name:
            is_kept = is_kept or (hint.place[0], hint.old) in self._declared_names
        if kind.name == "table":
            is_kept = is_kept or (hint.place[0], hint.old) in self._declared_types
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
        found, declared = self._difference.found, self._difference.declared
        if kind.name == "table":
            return any(identity[0] == "table" and identity in declared for identity in found)
        return any(identity in found for identity in (("table", *place), (kind.name, *place)))


def _is_there(kind: AnyKind, state: Snapshot[Any], place: Place, name: str) -> bool:
    assert kind.renaming is not None
    if kind.renaming.is_there is not None:
        return kind.renaming.is_there(state, place, name)
    return (kind.name, *place, name) in state


def said(hint: RenameHint, scope: Scope) -> str:
    """Name a hint, and where it is."""
    schema = scope.shown_schema(hint.place[0])
    names = [*([schema] if schema else []), *hint.place[1:], hint.new]
    place = f" ({hint.declared_at})" if hint.declared_at else ""
    return f"The hint renamed_from({hint.old!r}) on {hint.kind} {'.'.join(names)}{place}"
