"""Likely renames: what goes and what comes look alike, and only a person knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from sqlalchemy import Connection

from pgmigrations.migrate.core.compare import Findings
from pgmigrations.migrate.core.difference import settled
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.report import changed_properties
from pgmigrations.migrate.core.snapshot import Change, Record

_Pair: TypeAlias = tuple[Record, Record]


def likely_renames(
    kinds: Sequence[AnyKind], findings: Findings, *, with_copy: bool = True
) -> list[str]:
    """Say of each likely rename which hint would make it one.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        findings: What the comparison has found.
        with_copy: Whether a copy of the database may be made to see if definitions that are
            printed differently mean the same.
    """
    return [*_likely(kinds, findings, with_copy=with_copy)]


def _likely(kinds: Sequence[AnyKind], findings: Findings, *, with_copy: bool) -> Iterator[str]:
    difference = findings.difference
    for kind in kinds:
        if kind.renaming is None or kind.renaming.hints is None:
            continue
        changes = [one for one in findings.changes if one.record.kind == kind.name]
        if kind.renaming.likely is not None:
            for change in changes:
                yield from kind.renaming.likely(change, difference.scope)
            continue
        pairs = _candidates(changes, difference)
        found = [pair for pair in pairs if _is_alike(kind, *pair, difference)]
        rest = [pair for pair in pairs if pair not in found and _may_be_same(kind, *pair)]
        if rest and with_copy:
            with findings.copy() as database:
                found += [pair for pair in rest if _is_same(kinds, kind, *pair, database)]
        for old, new in _each_once(found):
            yield _advice(old, new, difference)


def _candidates(changes: Sequence[Change[Record]], difference: Difference) -> list[_Pair]:
    """Pair what goes with what comes at the same place, in a table that stays."""
    return [
        (old.before, new.after)
        for new in changes
        for old in changes
        if new.before is None and new.after is not None
        if old.after is None and old.before is not None
        if (old.before.schema, old.before.relation) == (new.after.schema, new.after.relation)
        if new.after.relation is None or difference.has_table(*new.after.relation)
    ]


def _is_alike(kind: AnyKind, old: Record, new: Record, difference: Difference) -> bool:
    assert kind.renaming is not None
    if kind.renaming.follows is not None:
        return bool(kind.renaming.follows(old, new) == new)
    is_like = kind.renaming.is_like
    return is_like is not None and is_like(old, new, difference.actual, difference.declared)


def _may_be_same(kind: AnyKind, old: Record, new: Record) -> bool:
    """Tell whether no more differs than the server may print in two ways."""
    comparison, renaming = kind.comparison, kind.renaming
    if comparison is None or comparison.reprinted is None:
        return False
    if renaming is None or renaming.follows is None:
        return False
    return len(changed_properties(Change(renaming.follows(old, new), new))) == 1


def _is_same(
    kinds: Sequence[AnyKind], kind: AnyKind, old: Record, new: Record, database: Connection
) -> bool:
    assert kind.renaming is not None
    assert kind.renaming.follows is not None
    before, after = {new.identity: kind.renaming.follows(old, new)}, {new.identity: new}
    return not list(settled(kinds, database, before, after))


def _each_once(pairs: Sequence[_Pair]) -> Iterator[_Pair]:
    """Take the first of several that would do."""
    taken: set[tuple[str, ...]] = set()
    for old, new in pairs:
        if taken.isdisjoint({old.identity, new.identity}):
            taken |= {old.identity, new.identity}
            yield old, new


def _advice(old: Record, new: Record, difference: Difference) -> str:
    schema = difference.scope.shown_schema(new.schema)
    place = ".".join([*([schema] if schema else []), *new.identity[2:-1], ""])
    return (
        f"{new.kind} {place}{old.name} is dropped and {place}{new.name} added: if that is a "
        f"rename, add info=renamed_from({str(old.name)!r}) to the {new.kind} and generate this "
        "revision again"
    )
