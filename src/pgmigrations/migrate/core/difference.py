"""What differs between a database and the models, as the server says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData

from pgmigrations.migrate.core.declared import declared_database, read_all
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.snapshot import (
    Change,
    Identity,
    Record,
    Scope,
    Snapshot,
    differences,
)
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

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        target: The connected database; it is only read.
        metadatas: The models.
        scope: What is looked at.
        settings: Where the models are created.
        is_ours: Tells of an object that no model declares whether it may be dropped.

    Returns:
        Both states, and the changes from the first to the second that are left when the server
        has printed both sides once more.
    """
    actual = read_all(target, kinds, scope)
    with declared_database(target, metadatas, kinds, scope, settings.scratch_url) as scratch:
        created = read_all(scratch, kinds, scope)
        declared = with_said(kinds, metadatas, scope, created, actual)
        ours = {
            identity: record
            for identity, record in actual.items()
            if identity in declared or is_ours(record)
        }
        changes = list(settled(kinds, scratch, ours, declared))
    differing = frozenset(change.record.identity for change in changes)
    return Difference(scope, ours, declared, metadatas, actual, differing, target), changes


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
    own = said(kinds, metadatas, scope, created, actual)
    named: set[Identity] = set()
    partly: set[str] = set()
    for kind in kinds:
        comparison = kind.comparison
        if comparison is not None and comparison.named is not None:
            named |= set(comparison.named(metadatas, scope))
        if comparison is not None and (comparison.declared or comparison.named):
            partly.add(kind.name)
    lent = {
        identity: record
        for identity, record in created.items()
        if record.kind in partly and identity not in named and identity not in own
    }
    unused = _unused(lent, created)
    return {key: one for key, one in created.items() if key not in unused} | own


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


def _unused(lent: Snapshot[Any], created: Snapshot[Any]) -> set[Identity]:
    """Find what was copied into the scratch database and nothing that was created there uses."""
    unused = dict(lent)
    # Tables and types share their names.
    users = {
        (one.schema, one.name)
        for key, one in created.items()
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
    comparisons = {kind.name: kind.comparison for kind in kinds}
    for change in differences(before, after):
        old, new = change.before, change.after
        if old is not None and new is not None:
            comparison = comparisons[new.kind]
            reprinted = comparison.reprinted if comparison is not None else None
            if reprinted is not None and reprinted(scratch, old) == reprinted(scratch, new):
                continue
        yield change
