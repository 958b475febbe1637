"""Projects with generated models: one as this package has it, one with plain Alembic."""

from __future__ import annotations

from pathlib import Path

OURS = """\
import os

from alembic import context

from pgmigrations.database_url import parse_database_url
from pgmigrations.migrate.env import (
    command_errors,
    configure_arguments,
    connected,
    loading_models,
)

with loading_models():
    from generated import metadata

with command_errors():
    arguments = configure_arguments(metadata)
    with connected(parse_database_url(os.environ["BENCHMARK_URL"])) as connection:
        context.configure(connection=connection, **arguments)
        with context.begin_transaction():
            context.run_migrations()
"""
PLAIN = """\
import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from generated import metadata

with create_engine(os.environ["BENCHMARK_URL"], poolclass=NullPool).connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
"""
MODELS = "import sqlalchemy\nimport generated\n"
# As our command loads them: no collection meanwhile, and none to begin the end with.
MODELS_OURS = """\
import atexit, gc

atexit.register(gc.disable)
gc.disable()
import sqlalchemy
import generated

gc.freeze()
gc.unfreeze()
gc.enable()
"""
# What reads the catalogs needs nothing of this package: the statement is in a file.
FLOOR = """\
import os
from pathlib import Path

import sqlalchemy
import generated

engine = sqlalchemy.create_engine(os.environ["BENCHMARK_URL"])
with engine.connect() as connection:
    sql = Path(os.environ["BENCHMARK_SQL"]).read_text()
    rows = connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).all()
    assert rows
"""
_INI = "[alembic]\nscript_location = %(here)s\npath_separator = os\n"


def write_project(folder: Path, env: str) -> Path:
    """Write what `alembic check` needs.

    Args:
        folder: Where to.
        env: The text of env.py.

    Returns:
        The path of alembic.ini.
    """
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(env)
    (folder / "script.py.mako").write_text("")
    (folder / "alembic.ini").write_text(_INI)
    return folder / "alembic.ini"
