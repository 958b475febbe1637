"""The downgrade of a revision with renames: they are taken back first, too.

What a downgrade does after them speaks of the old names, so that it may be run again from any state
between its start and its end. The reverse of an operation of the upgrade speaks of the new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic.operations.ops import MigrateOperation
from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.compare import Findings, phrased
from pgmigrations.migrate.core.declared import declared_database, read_all
from pgmigrations.migrate.core.execution import send
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.core.renamed import Renamed
from pgmigrations.migrate.core.snapshot import Change, Snapshot


def way_back(
    kinds: Sequence[AnyKind], migration: MigrationContext, findings: Findings, renamed: Renamed
) -> list[MigrateOperation]:
    """Return the operations of the downgrade.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        migration: The context of `alembic revision --autogenerate`.
        findings: What the comparison has found.
        renamed: The renames among it.
    """
    renames = renamed.operations_back
    declared = _with_old_names(kinds, migration, findings, renames)
    state = dict(renamed.before)
    changes: list[Change[Any]] = []
    named = {kind.name for kind in kinds if kind.renaming is not None}
    for change in findings.changes:
        identity = renamed.old_identity(change.record, findings.difference.declared)
        made = change.after
        if made is not None and made.kind in named:
            made = declared[identity]
        if made is None:
            state.pop(identity, None)
        else:
            state[identity] = made
        if change.record.identity not in findings.unmade:
            changes.append(Change(made, renamed.before.get(identity)))
    difference = Difference(
        findings.difference.scope,
        state,
        renamed.before,
        (),
        differing=frozenset(change.record.identity for change in changes),
        server=findings.difference.server,
    )
    return [*renames, *phrased(kinds, changes, difference)]


def _with_old_names(
    kinds: Sequence[AnyKind],
    migration: MigrationContext,
    findings: Findings,
    renames: Sequence[Operation],
) -> Snapshot[Any]:
    """Create the models, rename what was renamed, and read what there is then."""
    settings = settings_of(migration)
    assert settings is not None
    assert migration.connection is not None
    metadatas, scope = findings.difference.metadatas, findings.difference.scope
    with declared_database(
        migration.connection, metadatas, kinds, scope, settings.scratch_url
    ) as scratch:
        for rename in renames:
            for statement in rename.statements():
                send(scratch, statement)
        return read_all(scratch, kinds, scope)
