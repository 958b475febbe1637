"""A database that is ahead of the revision files, as after a deployment was rolled back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.run.ledger import APPLIED, SETTLED
from pgmigrations.run.place import place_of


class DatabaseAhead(PgMigrationsError):
    """Revisions are applied that have no file, and `refuse_ahead` is on."""


def is_ahead(context: MigrationContext, heads: Collection[str]) -> bool:
    """Tell whether an upgrade has nothing to do, since the database knows more than the files.

    So it is where every version row without a file was applied by a run that wrote it into the
    ledger, and the heads of the files were, too. Any other unknown revision is an error, which
    Alembic finds.

    Args:
        context: The connected context.
        heads: The version rows.

    Raises:
        DatabaseAhead: It is, and `refuse_ahead` is on.
    """
    script = context.script
    settings = settings_of(context)
    connection = context.connection
    assert script is not None
    assert settings is not None
    assert connection is not None
    unknown = {head for head in heads if not _is_known(script, head)}
    if not unknown:
        return False
    ledger = place_of(context).ledger
    driver: Any = connection.connection.dbapi_connection
    if not ledger.is_there(driver):
        return False
    latest = ledger.latest(driver, SETTLED)
    applied = {name for name, row in latest.items() if row.status in APPLIED}
    if not unknown <= applied or not set(script.get_heads()) <= applied:
        return False
    more = sorted(name for name in applied if not _is_known(script, name))
    said = f"The database is ahead of the revision files by {len(more)}: {', '.join(more)}"
    if settings.refuse_ahead:
        raise DatabaseAhead(said, "Deploy the files that belong to it, or set refuse_ahead = false")
    log.info("%s; nothing is run", said)
    return True


def _is_known(script: Any, revision: str) -> bool:
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
