"""What differs between a database and the models, as the server says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData

from pgmigrations.migrate.core.cache import Cache
from pgmigrations.migrate.core.declared import declared_types
from pgmigrations.migrate.core.environment import environment_key, fact_parameters, facts
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.model_state import ModelState
from pgmigrations.migrate.core.remembered import Remembered
from pgmigrations.migrate.core.snapshot import (
    Change,
    Identity,
    Record,
    Scope,
    Snapshot,
    differences,
    snapshot,
)
from pgmigrations.migrate.core.state import LazySnapshot, read_states
from pgmigrations.settings import Settings


def find_differences(
    kinds: Sequence[AnyKind],
    target: Connection,
    metadatas: Sequence[MetaData],
    scope: Scope,
    settings: Settings,
    is_ours: Callable[[Record], bool],
) -> tuple[Difference, list[Change[Any]]]:
    """Compare a database with what the server makes of the models.

    A scratch database is made only for models, or for two forms of a definition, that no earlier
    comparison has met.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        target: The connected database; it is only read.
        metadatas: The models.
        scope: What is looked at.
        settings: Where the models are created, and where that is remembered.
        is_ours: Tells of an object that no model declares whether it may be dropped.

    Returns:
        Both states, and the changes from the first to the second that are left when the server
        has printed both sides once more.
    """
    types = fact_parameters(declared_types(metadatas, scope))
    actual, found = read_states(target, kinds, scope, facts(), **types)
    environment = environment_key(found, kinds, scope, settings.scratch_url)
    remembered = Remembered(Cache.of(settings.cache), environment, kinds, scope)
    with ModelState(kinds, target, metadatas, scope, settings, remembered) as models:
        created = models.state
        said = _said(kinds)
        before = dict(snapshot(actual.without(created, said).records()))
        # Of what is said by the models themselves, nothing that was created counts.
        after = with_said(
            kinds, metadatas, scope, snapshot(created.without(actual).records()), before
        )
        left = [
            identity
            for identity, record in before.items()
            if identity not in after and not is_ours(record)
        ]
        for identity in left:
            del before[identity]
        found_changes = list(differences(before, after))
        models.expect(change.record for change in found_changes if change.before and change.after)
        changes = [
            change
            for change in found_changes
            if not _prints_alike(kinds, change, models.prints_alike)
        ]
    everything = actual.snapshot()
    declared = LazySnapshot(
        lambda: with_said(kinds, metadatas, scope, created.snapshot(), actual.only(said).snapshot())
    )
    ours = _without(everything, left)
    return Difference(scope, ours, declared, metadatas, everything), changes


def with_said(
    kinds: Sequence[AnyKind],
    metadatas: Sequence[MetaData],
    scope: Scope,
    created: Snapshot[Any],
    actual: Snapshot[Any],
) -> Snapshot[Any]:
    """Put what the models say by themselves in the place of what their creation has made.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        metadatas: The models.
        scope: What is looked at.
        created: What the server has made of the models.
        actual: The state that says what a declaration leaves open, such as a version.
    """
    declared = dict(created)
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.declared is not None:
            said = snapshot(kind.comparison.declared(metadatas, scope, actual))
            declared = {key: one for key, one in declared.items() if one.kind != kind.name}
            declared |= said
    return declared


def settled(
    kinds: Sequence[AnyKind],
    scratch: Connection,
    before: Snapshot[Any],
    after: Snapshot[Any],
) -> Iterator[Change[Any]]:
    """Yield the differences that are left when the server has printed both sides once more.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        scratch: A scratch database with the tables of one of the two states.
        before: The one state.
        after: The other.
    """

    def print_both(reprinted: Callable[..., Any], old: Record, new: Record) -> bool:
        return bool(reprinted(scratch, old) == reprinted(scratch, new))

    for change in differences(before, after):
        if not _prints_alike(kinds, change, print_both):
            yield change


def _prints_alike(
    kinds: Sequence[AnyKind],
    change: Change[Any],
    print_both: Callable[[Callable[..., Any], Record, Record], bool],
) -> bool:
    """Tell whether the server prints two forms of a definition alike when it prints them again."""
    old, new = change.before, change.after
    if old is None or new is None:
        return False
    comparison = next(kind.comparison for kind in kinds if kind.name == new.kind)
    if comparison is None or comparison.reprinted is None:
        return False
    return print_both(comparison.reprinted, old, new)


def _said(kinds: Sequence[AnyKind]) -> set[str]:
    """Name the kinds that the models say by themselves."""
    return {
        kind.name
        for kind in kinds
        if kind.comparison is not None and kind.comparison.declared is not None
    }


def _without(records: Snapshot[Any], left_out: Sequence[Identity]) -> Snapshot[Any]:
    if not left_out:
        return records
    dropped = set(left_out)
    return LazySnapshot(
        lambda: {identity: one for identity, one in records.items() if identity not in dropped}
    )
