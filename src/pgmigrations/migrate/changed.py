"""Applied revisions whose code is another one by now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.ledger import SETTLED, Row
from pgmigrations.run.place import place_of
from pgmigrations.run.step import checksum_of


class AppliedRevisionChanged(PgMigrationsError):
    """Applied revisions have changed, and `refuse_changed` is on."""


def has_changed(script: Script, row: Row | None) -> bool:
    """Tell whether a revision's code differs from what was applied; formatting is no difference.

    Args:
        script: The revision.
        row: Its last settled row in the ledger; without a checksum nothing can be told.
    """
    if row is None or row.checksum is None:
        return False
    # What cannot be read any more has changed.
    return checksum_of(script) != row.checksum


def refuse_changed(context: MigrationContext, heads: Collection[str]) -> None:
    """Refuse to go on from revisions that have changed since they were applied.

    Args:
        context: The connected context.
        heads: The version rows, each of which has a file.

    Raises:
        AppliedRevisionChanged: There are some; they are named.
    """
    script, connection = context.script, context.connection
    assert script is not None
    assert connection is not None
    ledger = place_of(context).ledger
    driver: Any = connection.connection.dbapi_connection
    if not heads or not ledger.is_there(driver):
        return
    settled = ledger.latest(driver, SETTLED)
    applied = script.iterate_revisions(tuple(heads), "base", implicit_base=True)
    changed = [one.revision for one in applied if has_changed(one, settled.get(one.revision))]
    if changed:
        raise AppliedRevisionChanged(
            f"Changed since it was applied: {', '.join(sorted(changed))}",
            "Restore the file and write a new revision, or accept it with: pgmigrations repair",
        )
