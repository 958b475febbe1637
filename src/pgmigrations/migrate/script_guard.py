"""What `--sql` output looks at before a revision's statements: is the database where it should be?

psql goes on after an error by default. Without a look of its own, the second revision of a script
that is run on the wrong database would drop and add what is in use there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.alembic_private import Step, version_table_of
from pgmigrations.migrate.core.impl import PgMigrationsImpl
from pgmigrations.migrate.core.quoting import do_block, literal, qualified
from pgmigrations.run.version_rows import changes_of, named


def guard_scripts(context: MigrationContext, heads: Collection[str], steps: Sequence[Step]) -> None:
    """Let each step of a script refuse a database that is at another revision.

    The guard raises an error in the transaction that it stands in, so that all of it is undone. It
    locks the version rows, so that it waits for whoever else is at work.

    Args:
        context: The offline context.
        heads: Where the script starts.
        steps: What the script runs; changed in place.
    """
    at = set(heads)
    # A history with branches may have rows that a script does not speak of.
    is_straight = len(at) <= 1
    for step in steps:
        before = at
        at, changes = changes_of(context, step, at)
        is_straight = is_straight and len(at) <= 1 and not _has_branches(context)
        # From nothing, CREATE TABLE of the version table is the guard.
        if before:
            added = set() if is_straight else {new for _, new in changes if new} - before
            guard = _guard(context, before, added, is_whole=is_straight)
            step.migration_fn = _guarded(step.migration_fn, context, guard)


def _has_branches(context: MigrationContext) -> bool:
    script = context.script
    return script is not None and (len(script.get_heads()) > 1 or len(script.get_bases()) > 1)


def _guard(
    context: MigrationContext, wanted: Collection[str], added: Collection[str], *, is_whole: bool
) -> str:
    """Write the block that refuses.

    Args:
        context: The offline context.
        wanted: The version rows that the step starts from.
        added: Rows that are not there before it.
        is_whole: Whether no other rows may be there.
    """
    table = version_table_of(context)
    rows, others = _array(wanted), _array(added)
    wrong = "NOT found @> wanted" + (" OR NOT wanted @> found" if is_whole else "")
    if added:
        wrong += f" OR found && {others}"
    return do_block(f"""\
DECLARE
  wanted text[] := {rows};
  found text[];
BEGIN
  found := ARRAY(SELECT version_num::text FROM {qualified(table.schema, table.name)} FOR UPDATE);
  IF {wrong} THEN
    RAISE EXCEPTION 'this script goes on from revision %, and the database is at another one',
      {literal(named(wanted))};
  END IF;
END""")


def _array(values: Collection[str]) -> str:
    return f"ARRAY[{', '.join(map(literal, sorted(values)))}]"


def _guarded(
    run: Callable[..., None], context: MigrationContext, guard: str
) -> Callable[..., None]:
    impl = context.impl
    assert isinstance(impl, PgMigrationsImpl)

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
