"""The ledger in `--sql` output."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.alembic_private import Step, version_table_of
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.step import entries


def ledger_in_scripts(context: MigrationContext, steps: Sequence[Step]) -> None:
    """Let each step of a script write its rows, in the step's own transaction.

    Args:
        context: The offline context.
        steps: What the script runs; changed in place.
    """
    table = version_table_of(context)
    ledger = LedgerTable(table.schema or "", table.name)
    for number, step in enumerate(steps):
        step.migration_fn = _recorded(step.migration_fn, context, step, ledger, number == 0)


def _recorded(
    run: Callable[..., None],
    context: MigrationContext,
    step: Step,
    ledger: LedgerTable,
    is_first: bool,
) -> Callable[..., None]:
    @functools.wraps(run)
    def run_recorded(**kw: Any) -> None:
        run(**kw)
        if is_first:
            context.impl.static_output(f"{ledger.creation};")
        for entry in entries(step):
            context.impl.static_output(f"{ledger.insertion(entry)};")

    return run_recorded
