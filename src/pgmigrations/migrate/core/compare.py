"""The comparison of a database with the models: what differs, and which operations say so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrateOperation, UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.util import PriorityDispatchResult

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.difference import find_differences
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.filters import is_dropped, is_refused
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.options import metadatas_of, scope_of, settings_of
from pgmigrations.migrate.core.renamed import Renamed
from pgmigrations.migrate.core.renaming import Copy, followed
from pgmigrations.migrate.core.report import described, named
from pgmigrations.migrate.core.snapshot import Change, Identity, Record, Scope, Snapshot
from pgmigrations.migrate.core.whole_table import creations, removals


class UnphrasedDifference(PgMigrationsError):
    """Differences that no operation expresses."""

    def __init__(self, changes: Sequence[Change[Any]]) -> None:
        told = "; ".join(
            f"{named(change.record)} differs, and no operation expresses how: {described(change)}"
            for change in changes
        )
        super().__init__(told, "Write the change by hand in a revision, then run this again")
        self.changes = changes


@dataclass(frozen=True)
class Findings:
    """What a comparison has found.

    Attributes:
        difference: Both states, the first as it is after the renames that the models hint at.
        changes: What differs, and is the project's business.
        copy: Makes a copy of the database as it is.
        renamed: The renames that the models hint at; None where there are none.
        unmade: The identities of what the server has, and no revision made until now: it stays on
            the way back.
    """

    difference: Difference
    changes: Sequence[Change[Any]]
    copy: Copy
    renamed: Renamed | None
    unmade: frozenset[Identity] = frozenset()


def findings_of(context: MigrationContext) -> Findings | None:
    """Return what the last comparison in a context has found."""
    found = context.opts.get(_FINDINGS)
    assert found is None or isinstance(found, Findings)
    return found


_FINDINGS = "pgmigrations_findings"
SHOW = "pgmigrations_show"
"""The key in a context's options for what shows findings before an error ends the comparison."""


def compare_kinds(
    kinds: Sequence[AnyKind],
    context: AutogenContext,
    upgrade_ops: UpgradeOps,
    copies: Callable[[MigrationContext, Scope, Snapshot[Any]], Copy],
    unmade: Callable[
        [Sequence[AnyKind], MigrationContext, Difference],
        Sequence[tuple[Change[Any], Sequence[MigrateOperation]]],
    ],
) -> PriorityDispatchResult:
    """Make the operations say exactly what differs, in a project that asked for it.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        context: Alembic's context of this comparison.
        upgrade_ops: Where the operations go.
        copies: Makes copies of a database of which the state is known.
        unmade: Finds what the server has, and no revision makes, with what makes it.

    Raises:
        RenameRefused: A hint at a rename cannot be followed.
        UnphrasedDifference: Something differs and no kind has an operation for it.
    """
    migration = context.migration_context
    settings = settings_of(migration)
    target = context.connection
    if settings is not None and target is not None:
        scope = scope_of(migration)
        find = partial(
            find_differences,
            kinds,
            target,
            metadatas_of(migration),
            scope,
            settings,
            lambda record: is_dropped(record, context, scope),
        )
        difference, changes = find()
        apart = [
            one
            for one in unmade(kinds, migration, difference)
            if not is_refused(one[0], difference, context)
        ]
        copy = copies(migration, scope, difference.found)
        renamed = followed(kinds, context, difference, copy)
        if renamed is not None:
            difference, changes = find(renamed.state)
        changes = [
            one
            for one in changes
            if _has_place(one.record, difference) and not is_refused(one, difference, context)
        ]
        used: set[Identity] = set()
        # What stays may in its turn need others of these.
        while found := {one.record.identity for one in _still_used(changes)}:
            used |= found
            changes = [one for one in changes if one.record.identity not in found]
        if used:
            ours = {key: one for key, one in difference.actual.items() if key not in used}
            difference = dataclasses.replace(difference, actual=ours)
        added = [change for change, _ in apart]
        identities = frozenset(change.record.identity for change in added)
        findings = Findings(difference, [*added, *changes], copy, renamed, identities)
        migration.opts[_FINDINGS] = findings
        try:
            renames = renamed.operations if renamed is not None else ()
            making = [one for _, operations in apart for one in operations]
            operations = [*renames, *making, *phrased(kinds, changes, difference)]
        except UnphrasedDifference:
            show = migration.opts.get(SHOW)
            if show is not None:
                show(migration, findings)
            raise
        for operation in operations:
            if isinstance(operation, Operation):
                log.info("Detected %s: %s", operation.operation_name, operation.subject)
            upgrade_ops.ops.append(operation)
    return PriorityDispatchResult.CONTINUE


def phrased(
    kinds: Sequence[AnyKind], changes: Sequence[Change[Any]], difference: Difference
) -> Iterator[MigrateOperation]:
    """Yield the operations for changes; tables that come or go whole are one each.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        changes: What differs.
        difference: Both states.

    Raises:
        UnphrasedDifference: At the end, with all for which no kind has an operation.
    """
    by_kind = {kind.name: kind for kind in kinds}
    missing: list[Change[Any]] = []

    def alone(
        kind: AnyKind, change: Change[Any], difference: Difference
    ) -> Sequence[MigrateOperation]:
        found = kind.comparison.phrase(change, difference) if kind.comparison is not None else []
        if not found:
            missing.append(change)
        return found

    # What goes, goes in the reverse of the order in which it could be made.
    leaving = [one for one in changes if one.after is None]
    for change in [*(one for one in changes if one.after is not None), *reversed(leaving)]:
        record = change.record
        if record.kind == "table" and not difference.has_table(record.schema, record.name):
            continue
        is_changed = change.before is not None and change.after is not None
        if not is_changed and _comes_with_its_table(record, difference):
            continue
        if not is_changed and _comes_with_its_column(record, difference):
            continue
        comparison = by_kind[record.kind].comparison
        if comparison and comparison.brought and comparison.brought(change, difference):
            continue
        yield from alone(by_kind[record.kind], change, difference)
    gone_before: set[Identity] = set()
    for kind in kinds:
        if kind.comparison is not None and kind.comparison.disturbed is not None:
            for change in kind.comparison.disturbed(difference):
                yield from alone(kind, change, difference)
                if change.after is None:
                    gone_before.add(change.record.identity)
    tables = [one for one in changes if one.record.kind == "table"]
    made = [one.record for one in tables if one.before is None]
    gone = [one.record for one in tables if one.after is None]
    yield from removals(gone, kinds, difference, alone, gone_before)
    yield from creations(made, kinds, difference, alone)
    if missing:
        raise UnphrasedDifference(missing)


def _has_place(record: Record, difference: Difference) -> bool:
    """Tell whether the table that it is in, if any, is one that is looked at."""
    if record.relation is None:
        return True
    table = ("table", *record.relation)
    return table in difference.actual or table in difference.declared


def _comes_with_its_table(record: Record, difference: Difference) -> bool:
    """Tell whether it is made or dropped with its table."""
    return record.relation is not None and not difference.has_table(*record.relation)


def _comes_with_its_column(record: Record, difference: Difference) -> bool:
    """Tell whether a column that comes or goes makes or drops what it owns, and back again."""
    if not record.owning_column:
        return False
    column = ("column", *record.owning_column)
    if column in difference.declared and column in difference.actual:
        return False
    return difference.is_serial(record.owning_column, was=column in difference.actual)


def _still_used(changes: Sequence[Change[Any]]) -> Iterator[Change[Any]]:
    """Find what no model declares and what stays cannot do without."""
    gone: set[tuple[str, str, str]] = set()
    for change in changes:
        before, after = change.before, change.after
        # Tables and types share their names.
        if before is not None and before.relation is None and after is None:
            gone.add((before.schema, before.name, ""))
        elif (
            before is not None
            and before.kind == "column"
            and (after is None or before.type != after.type)
        ):
            gone.add((*before.relation, before.name))
    whole = {place[:2] for place in gone if not place[2]}
    touched = {place[:2] for place in gone}

    def is_free(place: tuple[str, str, str]) -> bool:
        # An index or a check goes with the column that it is on.
        return place in gone or place[:2] in whole or (not place[2] and place[:2] in touched)

    for change in changes:
        before = change.before
        if before is not None and change.after is None and not all(map(is_free, before.used_by)):
            yield change
