"""The last hand on a generated revision: one order across kinds, and safe to run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from alembic.operations.ops import MigrateOperation, ModifyTableOps, OpContainer, UpgradeOps

from pgmigrations.migrate.core.handover import handed_over
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.phase import Phase


def finish(container: OpContainer, kinds: Sequence[AnyKind]) -> None:
    """Sort the operations by phase, join what belongs together, and make each an "ensure".

    The sort is stable: Alembic's own operations stay in the order in which they depend on each
    other.
    """
    ensured: dict[type[MigrateOperation], Callable[[Any], None]] = {}
    for kind in kinds:
        ensured.update(kind.ensured)
    phased = [(_phase(one), one) for one in _leaves(container)]
    ordered = handed_over(sorted(phased, key=lambda one: one[0]))
    container.ops[:] = _joined([one for _, one in ordered])
    for operation in container.ops:
        _ensure(operation, ensured)


def append_left_over(
    container: OpContainer, operations: Sequence[MigrateOperation], kinds: Sequence[AnyKind]
) -> None:
    """Put operations behind all others, in an order of their own.

    Args:
        container: A finished direction of a revision.
        operations: What it has left over.
        kinds: The list of `pgmigrations.migrate.kinds`.
    """
    rest = UpgradeOps([*operations])
    finish(rest, kinds)
    for operation in rest.ops:
        setattr(operation, _LEFT_OVER, True)
    container.ops.extend(rest.ops)


_LEFT_OVER = "is_left_over"


def _phase(operation: MigrateOperation) -> Phase:
    if getattr(operation, _LEFT_OVER, False):
        return Phase.LEFT_OVER
    if isinstance(operation, Operation):
        return operation.runs_in()
    # A room's subclass of one of Alembic's operations may say when it runs, too.
    phase: Phase = getattr(operation, "phase", Phase.TABLE)
    return phase


def _joined(operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
    joined: list[MigrateOperation] = []
    for operation in operations:
        previous = joined[-1] if joined else None
        together = previous.merged(operation) if isinstance(previous, Operation) else None
        if together is None:
            joined.append(operation)
        else:
            joined[-1] = together
    return joined


def _leaves(container: OpContainer) -> Iterator[MigrateOperation]:
    for operation in container.ops:
        # Batch mode, which needs them together, is for other databases.
        if isinstance(operation, ModifyTableOps):
            yield from _leaves(operation)
        else:
            yield operation


def _ensure(
    operation: MigrateOperation,
    ensured: Mapping[type[MigrateOperation], Callable[[Any], None]],
) -> None:
    for class_ in type(operation).__mro__:
        if class_ in ensured:
            ensured[class_](operation)
            return
