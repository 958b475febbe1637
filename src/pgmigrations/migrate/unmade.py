"""What the server has for all its databases, and no revision makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.execution import silenced
from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.revision_call import RevisionCall, revision_calls


def unmade(
    kinds: Sequence[AnyKind], migration: MigrationContext, difference: Difference
) -> list[tuple[Change[Any], list[Operation]]]:
    """Find what is declared and on the server already, though no revision makes it.

    A role may be there since another database of the server was migrated. The next server lacks
    it: a revision has to make it. Here it does nothing, nor does its way back.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        migration: The context, whose revisions are read.
        difference: Both states.

    Returns:
        For each, a change from nothing to what is declared, and what makes it.

    Raises:
        DifferentObject: What is there is nothing that a revision may take for its own.
    """
    if migration.script is None:
        return []
    there = [
        (kind, record)
        for kind in kinds
        if kind.is_on_server and kind.comparison is not None
        if kind.comparison.declared is not None
        for record in kind.comparison.declared(difference.metadatas, difference.scope, {}, {})
        if record.identity in difference.found
    ]
    if not there:
        return []
    operations = {one.operation_name: one for kind, _ in there for one in kind.operations}
    calls = _last_calls(migration, operations)
    found: list[tuple[Change[Any], list[Operation]]] = []
    for kind, record in there:
        change: Change[Any] = Change(None, record)
        assert kind.comparison is not None
        making = [
            one
            for one in kind.comparison.phrase(change, difference)
            if isinstance(one, Operation) and not _is_called(one, calls)
        ]
        if making:
            _refuse_other(making, difference)
            values: dict[str, Any] = {"was_there": True}
            found.append((change, [dataclasses.replace(one, **values) for one in making]))
    return found


def _last_calls(
    migration: MigrationContext, operations: Mapping[str, type[Operation]]
) -> dict[RevisionCall, int]:
    """Read all revisions, from the first on; tell when each call is made for the last time."""
    assert migration.script is not None
    paths = [Path(one.path) for one in migration.script.walk_revisions()]
    every = [call for path in reversed(paths) for call in revision_calls(path, operations)]
    return {call: number for number, call in enumerate(every, start=1)}


def _is_called(operation: Any, calls: Mapping[RevisionCall, int]) -> bool:
    """Tell whether a revision makes it, and none takes it away afterwards."""
    made, gone = (
        calls.get((one.operation_name, tuple(one.call()[0])), 0)
        for one in (operation, operation.reverse())
    )
    return made > gone


def _refuse_other(operations: Sequence[Operation], difference: Difference) -> None:
    assert difference.server is not None
    with silenced("pgmigrations"):
        for one in operations:
            one.pending(difference.server)
