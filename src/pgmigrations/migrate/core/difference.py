"""What differs between a database and the models, as the server says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData

from pgmigrations.migrate.core.cache import Cache
from pgmigrations.migrate.core.declared import declared_names
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
    actual: Snapshot[Any] | None = None,
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
        actual: What to compare in the place of what the database holds.

    Returns:
        Both states, and the changes from the first to the second that are left when the server
        has printed both sides once more.
    """
    names = fact_parameters(declared_names(metadatas, scope))
    state, found = read_states(target, kinds, scope, facts(), names)
    environment = environment_key(found, kinds, scope, settings.scratch_url)
    remembered = Remembered(Cache.of(settings.cache), environment, kinds, scope)
    everything = state.snapshot() if actual is None else actual
    with ModelState(kinds, target, metadatas, scope, settings, remembered) as models:
        created = models.state
        partly = _partly_said(kinds)
        made = created.only(partly).snapshot()
        if actual is None:
            had, before = state.only(partly).snapshot(), state.without(created, partly).snapshot()
        else:
            had, before = actual, actual
        own, unused = _own_and_unused(kinds, metadatas, scope, made, had, created.snapshot)
        new = created.without(state, partly) if actual is None else created
        after = {key: one for key, one in new.snapshot().items() if key not in unused} | own
        left = {
            identity
            for identity, record in before.items()
            if identity not in after and not is_ours(record)
        }
        compared = {key: one for key, one in before.items() if key not in left}
        differing = [*_asked(kinds, differences(compared, after))]
        models.expect(change.record for change in differing if change.before and change.after)
        changes = [
            change for change in differing if not _prints_alike(kinds, change, models.prints_alike)
        ]
    declared = LazySnapshot(
        lambda: {key: one for key, one in created.snapshot().items() if key not in unused} | own
    )
    ours = LazySnapshot(lambda: {key: one for key, one in everything.items() if key not in left})
    identities = frozenset(change.record.identity for change in changes)
    return Difference(scope, ours, declared, metadatas, everything, identities, target), changes


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
    own, unused = _own_and_unused(kinds, metadatas, scope, created, actual, lambda: created)
    return {key: one for key, one in created.items() if key not in unused} | own


def _partly_said(kinds: Sequence[AnyKind]) -> set[str]:
    """Name the kinds of which not all that was created is declared."""
    return {
        kind.name
        for kind in kinds
        if kind.comparison is not None and (kind.comparison.declared or kind.comparison.named)
    }


def _own_and_unused(
    kinds: Sequence[AnyKind],
    metadatas: Sequence[MetaData],
    scope: Scope,
    made: Snapshot[Any],
    actual: Snapshot[Any],
    created: Callable[[], Snapshot[Any]],
) -> tuple[dict[Identity, Any], set[Identity]]:
    """Return what the models say by themselves, and what was created and is not declared.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        metadatas: The models.
        scope: What is looked at.
        made: What was created, of the kinds that are partly said at least.
        actual: What the database has of them.
        created: Tells all that was created.
    """
    own = said(kinds, metadatas, scope, made, actual)
    partly = _partly_said(kinds)
    named: set[Identity] = set()
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.named is not None:
            named |= set(kind.comparison.named(metadatas, scope))
    lent = {
        identity: record
        for identity, record in made.items()
        if record.kind in partly and identity not in named and identity not in own
    }
    return own, _unused(lent, created)


def said(
    kinds: Sequence[AnyKind],
    metadatas: Sequence[MetaData],
    scope: Scope,
    created: Snapshot[Any],
    actual: Snapshot[Any],
) -> dict[Identity, Any]:
    """Return what the models say by themselves; the arguments are those of `with_said`."""
    return {
        record.identity: record
        for kind in kinds
        if kind.comparison is not None and kind.comparison.declared is not None
        for record in kind.comparison.declared(metadatas, scope, actual, created)
    }


def _unused(lent: Snapshot[Any], created: Callable[[], Snapshot[Any]]) -> set[Identity]:
    """Find what was copied into the scratch database and nothing that was created there uses."""
    unused = dict(lent)
    if not any(one.used_by for one in unused.values()):
        return set(unused)
    # Tables and types share their names.
    users = {
        (one.schema, one.name)
        for key, one in created().items()
        if key not in unused and one.relation is None
    }
    while found := {
        identity: record
        for identity, record in unused.items()
        if any(place[:2] in users for place in record.used_by)
    }:
        users |= {(one.schema, one.name) for one in found.values()}
        unused = {key: one for key, one in unused.items() if key not in found}
    return set(unused)


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


def _asked(kinds: Sequence[AnyKind], changes: Iterable[Change[Any]]) -> Iterator[Change[Any]]:
    """Yield the changes that the models ask for: what they leave open stays as it is."""
    filling = {
        kind.name: kind.comparison.left_open
        for kind in kinds
        if kind.comparison is not None and kind.comparison.left_open is not None
    }
    for change in changes:
        before, after = change.before, change.after
        if before is not None and after is not None and after.kind in filling:
            after = filling[after.kind](before, after)
        if before != after:
            yield Change(before, after)


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
