"""What `--sql` output looks at before a revision's statements: is the database where it should be?

psql goes on after an error by default. Without a look of its own, the second revision of a script
that is run on the wrong database would drop and add what is in use there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep

from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.migrate.core.impl import PgMigrationsImpl
from pgmigrations.migrate.core.quoting import do_block, literal, qualified


def guard_scripts(
    context: MigrationContext, heads: Collection[str], steps: Sequence[MigrationStep]
) -> None:
    """Let each revision of a script refuse a database that is at another one.

    The guard raises an error in the transaction that it stands in, so that all of it is undone. A
    history with branches has several rows at once and gets no guard.

    Args:
        context: The offline context.
        heads: Where the script starts.
        steps: What the script runs; changed in place.
    """
    revisions = [step for step in steps if isinstance(step, RevisionStep)]
    if len(revisions) < len(steps):
        return
    before = [tuple(heads), *(step.to_revisions for step in revisions)]
    is_straight = all(
        step.from_revisions == start for step, start in zip(revisions, before, strict=False)
    )
    if not is_straight or any(len(rows) > 1 for rows in before):
        return
    for step, (start, _) in zip(revisions, pairwise(before), strict=True):
        # From nothing, CREATE TABLE of the version table is the guard.
        if start:
            step.migration_fn = _guarded(step.migration_fn, context, start[0])


def _guarded(
    run: Callable[..., None], context: MigrationContext, revision: str
) -> Callable[..., None]:
    impl = context.impl
    assert isinstance(impl, PgMigrationsImpl)
    table = version_table_of(context)
    name = qualified(table.schema, table.name)
    guard = do_block(f"""\
BEGIN
  IF (SELECT array_agg(version_num::text) FROM {name}) IS DISTINCT FROM ARRAY[{literal(revision)}]
  THEN
    RAISE EXCEPTION 'this script goes on from revision %, and the database is at another one',
      {literal(revision)};
  END IF;
END""")

    @functools.wraps(run)
    def run_guarded(**kw: Any) -> None:
        impl.static_output(f"{guard};")
        # A statement that commits in the middle begins another transaction.
        impl.script_guard = guard
        try:
            run(**kw)
        finally:
            impl.script_guard = ""

    return run_guarded
