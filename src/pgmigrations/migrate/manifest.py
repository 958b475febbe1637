"""Write the manifest by which a run with nothing to do is recognised.

`run/manifest.py` says what it holds; `known.py` and `run/at_head.py` go by it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from io import StringIO
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import context
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.core.options import OPTION
from pgmigrations.migrate.known import KNOWN, Known
from pgmigrations.migrate.project_files import (
    digests_of,
    folders_of,
    ini_of,
    refusal_of,
    root_of,
    unchanged_path,
)
from pgmigrations.run import manifest as manifests
from pgmigrations.run.at_head import project_url
from pgmigrations.run.manifest import Manifest
from pgmigrations.run.step import checksum_of
from pgmigrations.settings import SECTION, Settings

if TYPE_CHECKING:
    from pgmigrations.database_url import DatabaseUrl

log = getLogger(__name__)


class NoManifest(PgMigrationsError):
    """A project whose files cannot be told by a manifest."""


def keep_manifest(url: DatabaseUrl) -> None:
    """Write the project's manifest after an upgrade, unless it fits.

    A read-only folder keeps what it has: nothing fails here.

    Args:
        url: The database that env.py has connected to.
    """
    if not alembic_private.is_configured():
        return
    migration = context.get_context()
    known: Known | None = migration.opts.get(KNOWN)
    if known is None or known.target is None or known.manifest is not None:
        return
    if refusal_of(context.config) is not None:
        return
    root = root_of(context.config)
    made, reason = _made(migration, context.script, context.config)
    # What was edited while the upgrade ran was not what it has read.
    if digests_of(context.script, context.config) != known.digests:
        return
    if made.url and (reason := _difference(root, made, url)):
        log.warning("[%s] database_url = %s is of no use: %s", SECTION, made.url, reason)
        made.url = ""
    if not _written(root, made):
        log.debug("The manifest is not written: %s is read-only", root)
    elif reason:
        log.debug("Only env.py can tell where the database is: %s", reason)


def write_manifest(config: Config) -> tuple[Manifest, str]:
    """Write the manifest of a project as it is, without a database.

    Args:
        config: Of the project's alembic.ini.

    Returns:
        What is written, and why the database cannot be looked at without env.py; empty if it can.

    Raises:
        NoManifest: The project cannot have one, its files have just been edited, or its folder is
            read-only.
    """
    made, reason = made_manifest(config)
    root = root_of(config)
    if not _written(root, made):
        raise NoManifest(f"{manifests.FILE} cannot be written into {root}")
    return made, reason


def made_manifest(config: Config) -> tuple[Manifest, str]:
    """Make the manifest of a project as it is, without a database, and write nothing.

    Args:
        config: Of the project's alembic.ini.

    Returns:
        What `write_manifest` writes and returns.

    Raises:
        NoManifest: The project cannot have one, or its files have just been edited.
    """
    refusal = refusal_of(config)
    if refusal is not None:
        raise NoManifest(f"There is no manifest: {refusal}")
    found: list[tuple[Manifest, str]] = []
    script = ScriptDirectory.from_config(config)
    before = digests_of(script, config)

    def work(_heads: Any, migration: MigrationContext) -> list[MigrationStep]:
        if OPTION in migration.opts:
            found.append(_made(migration, script, config))
        return []

    # As for SQL output, so that env.py says what it has to say and connects to nothing.
    with EnvironmentContext(config, script, fn=work, as_sql=True, destination_rev="heads"):
        script.run_env()
    if not found:
        raise NoManifest("There is no manifest: env.py does not run for --sql")
    if digests_of(script, config) != before:
        raise NoManifest("There is no manifest: files have changed while they were read")
    return found[0]


def renew_manifest(config: Config) -> None:
    """Write the manifest again where there is one; nothing fails here."""
    if config.config_file_name is None or manifests.read(root_of(config)) is None:
        return
    with suppress(PgMigrationsError, CommandError):
        write_manifest(config)


def _made(
    migration: MigrationContext, script: ScriptDirectory, config: Config
) -> tuple[Manifest, str]:
    root, ini, env = root_of(config), ini_of(config), str(script.env_py_location)
    settings: Settings = migration.opts[OPTION]
    table = alembic_private.version_table_of(migration)
    recursive = alembic_private.is_recursive(script)
    reason = _reason(settings, (table.name, table.schema), config)
    paths = [env, ini]
    if not reason:
        paths.append(str(Path(root, settings.database_url.rpartition(":")[0])))
    made = Manifest(
        files={os.path.relpath(path, root): manifests.digest_of(path) for path in paths},
        pyproject=manifests.digest_of(config.toml_file_name or ""),
        folders=[os.path.relpath(folder, root) for folder in folders_of(script)],
        recursive=recursive,
        revisions=manifests.digest_of_revisions(folders_of(script), recursive=recursive),
        heads=sorted(script.get_heads()),
        rows=sorted(script.get_heads(consider_depends_on=True)),
        version_table=table.name,
        version_table_schema=table.schema or "",
        url="" if reason else settings.database_url,
        paths=[os.path.relpath(path, root) for path in config.get_prepend_sys_paths_list() or []],
        unset=sorted(set(_names_in(Path(env)))),
        checksums={
            str(one.revision): code
            for one in script.walk_revisions()
            if (code := checksum_of(one)) is not None
        },
    )
    return made, reason


def _reason(settings: Settings, table: tuple[str, str | None], config: Config) -> str:
    """Say why the database cannot be looked at without env.py; empty if it can."""
    if not settings.database_url:
        return "[pgmigrations] has no database_url"
    if settings.refuse_changed:
        return "refuse_changed looks into the ledger"
    section = config.get_section(SECTION, {}) or {}
    own = {key: text for key, text in section.items() if key not in config.file_config.defaults()}
    written = Settings.load(own, ini_of(config))
    for key in ("version_table", "version_table_schema", "database_url"):
        if getattr(written, key) != getattr(settings, key):
            return f"env.py sets {key} itself"
    if table != (written.version_table, written.version_table_schema or None):
        return "env.py names the version table itself"
    return ""


def _written(root: str, made: Manifest) -> bool:
    """Write the manifest, whole or not at all; False where the folder is read-only."""
    path = Path(root, manifests.FILE)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(manifests.content_of(made), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True


def _difference(root: str, made: Manifest, url: DatabaseUrl) -> str:
    """Say why the project's function does not lead where env.py has connected; empty if it does."""
    with unchanged_path(), redirect_stderr(StringIO()):
        try:
            given = project_url(root, made.url)
        except Exception as error:
            return f"calling it ends in {type(error).__name__}"
    return "" if given == url else "env.py connects to another database"


def _names_in(env: Path) -> Iterator[str]:
    """Every text in env.py that may name a variable of the environment."""
    for node in ast.walk(ast.parse(env.read_bytes())):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and value.isidentifier():
            yield value
