"""Write the manifest by which a run with nothing to do is recognised, and go by it.

`run/manifest.py` says what it holds, `run/at_head.py` is the way that needs nothing else.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
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
from pgmigrations.run import manifest as manifests
from pgmigrations.run.at_head import is_at, project_url
from pgmigrations.run.manifest import Manifest
from pgmigrations.settings import SECTION, Settings

if TYPE_CHECKING:
    from pgmigrations.database_url import DatabaseUrl
    from pgmigrations.migrate.core.alembic_private import MigrationsFn

KNOWN = "pgmigrations_known"
"""Key of what is known before the run among the arguments of `context.configure()`."""

_DRIVER = "psycopg2"

log = getLogger(__name__)


class NoManifest(PgMigrationsError):
    """A project whose files cannot be told by a manifest."""


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
    digests = _digests(context.script, context.config) if is_kept else ()
    return Known(manifest, target, digests)


def _fitting() -> Manifest | None:
    config, script = context.config, context.script
    if _refusal(config) is not None:
        return None
    root = _root(config)
    found = manifests.read(root)
    if found is None or Path(_ini(config)).name not in found.files:
        return None
    folders = [os.path.normpath(Path(root, folder)) for folder in found.folders]
    if folders != _folders(script) or found.recursive != alembic_private.is_recursive(script):
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

    def steps(heads: Any, migration: MigrationContext) -> Iterable[MigrationStep]:
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
    if _refusal(context.config) is not None:
        return
    root = _root(context.config)
    made, reason = _made(migration, context.script, context.config)
    # What was edited while the upgrade ran was not what it has read.
    if _digests(context.script, context.config) != known.digests:
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
    refusal = _refusal(config)
    if refusal is not None:
        raise NoManifest(f"There is no manifest: {refusal}")
    found: list[tuple[Manifest, str]] = []
    script = ScriptDirectory.from_config(config)
    before = _digests(script, config)

    def work(_heads: Any, migration: MigrationContext) -> list[MigrationStep]:
        if OPTION in migration.opts:
            found.append(_made(migration, script, config))
        return []

    # As for SQL output, so that env.py says what it has to say and connects to nothing.
    with EnvironmentContext(config, script, fn=work, as_sql=True, destination_rev="heads"):
        script.run_env()
    if not found:
        raise NoManifest("There is no manifest: env.py does not run for --sql")
    if _digests(script, config) != before:
        raise NoManifest("There is no manifest: files have changed while they were read")
    root = _root(config)
    if not _written(root, found[0][0]):
        raise NoManifest(f"{manifests.FILE} cannot be written into {root}")
    return found[0]


def renew_manifest(config: Config) -> None:
    """Write the manifest again where there is one; nothing fails here."""
    if config.config_file_name is None or manifests.read(_root(config)) is None:
        return
    with suppress(PgMigrationsError, CommandError):
        write_manifest(config)


def _made(
    migration: MigrationContext, script: ScriptDirectory, config: Config
) -> tuple[Manifest, str]:
    root, ini, env = _root(config), _ini(config), str(script.env_py_location)
    settings: Settings = migration.opts[OPTION]
    table = alembic_private.version_table_of(migration)
    recursive = alembic_private.is_recursive(script)
    reason = _reason(settings, config)
    paths = [env, ini]
    if not reason:
        paths.append(str(Path(root, settings.database_url.rpartition(":")[0])))
    made = Manifest(
        files={os.path.relpath(path, root): manifests.digest_of(path) for path in paths},
        pyproject=manifests.digest_of(config.toml_file_name or ""),
        folders=[os.path.relpath(folder, root) for folder in _folders(script)],
        recursive=recursive,
        revisions=manifests.digest_of_revisions(_folders(script), recursive=recursive),
        heads=sorted(script.get_heads()),
        rows=sorted(script.get_heads(consider_depends_on=True)),
        version_table=table.name,
        version_table_schema=table.schema or "",
        url="" if reason else settings.database_url,
        paths=[os.path.relpath(path, root) for path in config.get_prepend_sys_paths_list() or []],
        unset=sorted(set(_names_in(Path(env)))),
    )
    return made, reason


def _reason(settings: Settings, config: Config) -> str:
    """Say why the database cannot be looked at without env.py; empty if it can."""
    if not settings.database_url:
        return "[pgmigrations] has no database_url"
    section = config.get_section(SECTION, {}) or {}
    own = {key: text for key, text in section.items() if key not in config.file_config.defaults()}
    written = Settings.load(own, _ini(config))
    for key in ("version_table", "version_table_schema", "database_url"):
        if getattr(written, key) != getattr(settings, key):
            return f"env.py sets {key} itself"
    return ""


def _refusal(config: Config) -> str | None:
    """Say why the project's files do not tell its heads; None if they do."""
    if config.config_file_name is None or not Path(config.config_file_name).is_file():
        return "there is no alembic.ini"
    if config.config_ini_section != manifests.SECTION:
        return f"the section is [{config.config_ini_section}]"
    if config.toml_alembic_config:
        return "pyproject.toml has settings of Alembic's"
    if config.get_alembic_boolean_option("sourceless"):
        return "sourceless is on"
    written = Config(config.config_file_name, toml_file=config.toml_file_name)
    with _unchanged_path():
        try:
            script = ScriptDirectory.from_config(written)
        except Exception:
            return f"{config.config_file_name} alone does not say where the revisions are"
        if _folders(script) != _folders(ScriptDirectory.from_config(config)):
            return "the version locations are not those of alembic.ini"
    return None


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
    with _unchanged_path(), redirect_stderr(StringIO()):
        try:
            given = project_url(root, made.url)
        except Exception as error:
            return f"calling it ends in {type(error).__name__}"
    return "" if given == url else "env.py connects to another database"


def _digests(script: ScriptDirectory, config: Config) -> tuple[str, ...]:
    recursive = alembic_private.is_recursive(script)
    return (
        manifests.digest_of(_ini(config)),
        manifests.digest_of(str(script.env_py_location)),
        manifests.digest_of_revisions(_folders(script), recursive=recursive),
    )


def _names_in(env: Path) -> Iterator[str]:
    """Every text in env.py that may name a variable of the environment."""
    for node in ast.walk(ast.parse(env.read_bytes())):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and value.isidentifier():
            yield value


@contextmanager
def _unchanged_path() -> Iterator[None]:
    kept = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = kept


def _root(config: Config) -> str:
    return str(Path(_ini(config)).parent)


def _ini(config: Config) -> str:
    assert config.config_file_name is not None
    return str(Path(config.config_file_name).absolute())


def _folders(script: ScriptDirectory) -> list[str]:
    return [os.path.normpath(folder) for folder in alembic_private.version_locations(script)]
