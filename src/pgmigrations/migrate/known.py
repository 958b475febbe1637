"""What is known before a run: are the files those of last time, so that none need be read?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import context
from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.project_files import (
    digests_of,
    folders_of,
    ini_of,
    refusal_of,
    root_of,
)
from pgmigrations.run import manifest as manifests
from pgmigrations.run.at_head import is_at
from pgmigrations.run.manifest import Manifest

if TYPE_CHECKING:
    from pgmigrations.migrate.core.alembic_private import MigrationsFn

KNOWN = "pgmigrations_known"
"""Key of what is known before the run among the arguments of `context.configure()`."""

_DRIVER = "psycopg2"


@dataclass(frozen=True)
class Known:
    """What is known before a run.

    Args:
        manifest: The project's manifest, if no file has changed since; else None.
        target: What an upgrade of a database goes to; None for any other command.
        digests: Those of the files before they were read, where no manifest fits.
    """

    manifest: Manifest | None
    target: str | None
    digests: tuple[str, ...]


def known_before() -> Known:
    """Find out what is known of the project that Alembic runs; `context.configure()` follows."""
    manifest, target = _fitting(), alembic_private.upgrade_target()
    is_kept = manifest is None and target is not None and context.config.config_file_name
    digests = digests_of(context.script, context.config) if is_kept else ()
    return Known(manifest, target, digests)


def _fitting() -> Manifest | None:
    config, script = context.config, context.script
    if refusal_of(config) is not None:
        return None
    root = root_of(config)
    found = manifests.read(root)
    if found is None or Path(ini_of(config)).name not in found.files:
        return None
    folders = [os.path.normpath(Path(root, folder)) for folder in found.folders]
    if folders != folders_of(script) or found.recursive != alembic_private.is_recursive(script):
        return None
    return found if found.fits(root, config.toml_file_name or "") else None


def idle_at_head(work: MigrationsFn, known: Known) -> MigrationsFn:
    """Let an upgrade of a database that is at its target do nothing, revision files unread.

    Args:
        work: The work of Alembic's command.
        known: What is known before the run.
    """
    found = known.manifest
    rows = found.rows_at(known.target) if found and known.target else None
    if found is None or rows is None:
        return work

    def steps(heads: Any, migration: MigrationContext) -> Iterable[alembic_private.Step]:
        table = alembic_private.version_table_of(migration)
        expected = (found.version_table, found.version_table_schema or None)
        # What Alembic has read already spares the statement where there is work to do.
        is_likely = sorted(heads) == sorted(rows) and (table.name, table.schema) == expected
        if is_likely and migration.connection is not None and migration.dialect.driver == _DRIVER:
            driver: Any = migration.connection.connection
            with driver.cursor() as cursor:
                if is_at(cursor, found, rows):
                    return []
        return work(heads, migration)

    return steps
