"""The files of the project that Alembic runs: where they are, and what they are at the moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from pgmigrations.migrate.core import alembic_private
from pgmigrations.run import manifest as manifests


def refusal_of(config: Config) -> str | None:
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
    with unchanged_path():
        try:
            script = ScriptDirectory.from_config(written)
        except Exception:
            return f"{config.config_file_name} alone does not say where the revisions are"
        if folders_of(script) != folders_of(ScriptDirectory.from_config(config)):
            return "the version locations are not those of alembic.ini"
    return None


def digests_of(script: ScriptDirectory, config: Config) -> tuple[str, ...]:
    """The digests of alembic.ini, env.py and all revisions, as they are now."""
    recursive = alembic_private.is_recursive(script)
    return (
        manifests.digest_of(ini_of(config)),
        manifests.digest_of(str(script.env_py_location)),
        manifests.digest_of_revisions(folders_of(script), recursive=recursive),
    )


@contextmanager
def unchanged_path() -> Iterator[None]:
    """Leave `sys.path` as it was."""
    kept = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = kept


def root_of(config: Config) -> str:
    """The folder of alembic.ini."""
    return str(Path(ini_of(config)).parent)


def ini_of(config: Config) -> str:
    """The path of alembic.ini."""
    assert config.config_file_name is not None
    return str(Path(config.config_file_name).absolute())


def folders_of(script: ScriptDirectory) -> list[str]:
    """The version locations, in their order."""
    return [os.path.normpath(folder) for folder in alembic_private.version_locations(script)]
