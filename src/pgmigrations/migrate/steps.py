"""The work of Alembic's command, which is ours where it changes the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.alembic_private import MigrationsFn, Step, is_changing

ADOPTING = "pgmigrations_adopting"
"""Key of `Config.attributes`: the version table's name belongs to the other tool for now."""


def prepared(work: MigrationsFn) -> MigrationsFn:
    """Wrap the work of Alembic's command."""

    def steps(heads: Any, context: MigrationContext) -> Iterable[Step]:
        if not (context.as_sql or is_changing(work)):
            return list(work(heads, context))
        # What only looks needs none of this, and is run more often.
        from pgmigrations.migrate.applied import applied

        return applied(work, heads, context)

    return steps
