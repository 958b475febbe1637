"""Projects with as many small revisions as one likes, for each of the tools that are compared."""

from __future__ import annotations

from pathlib import Path

OURS_ENV = """\
from alembic import context
from settings import database_url
from sqlalchemy import MetaData

from pgmigrations.migrate.env import command_errors, configure_arguments, connected

with command_errors():
    arguments = configure_arguments(MetaData())
    with connected(database_url()) as connection:
        context.configure(connection=connection, **arguments)
        with context.begin_transaction():
            context.run_migrations()
"""
# It imports what the template's app/settings.py does.
OURS_SETTINGS = """\
from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, from_environment
from pgmigrations.errors import PgMigrationsError

PROJECT = Path(__file__).resolve().parent


class NoDatabaseError(PgMigrationsError):
    pass


def database_url(environ: Mapping[str, str] = os.environ) -> DatabaseUrl:
    found = from_environment(environ)
    if found is None:
        raise NoDatabaseError("No database is named")
    return found
"""
PLAIN_ENV = """\
import os

from alembic import context
from sqlalchemy import MetaData, create_engine, make_url
from sqlalchemy.pool import NullPool

url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg2")
with create_engine(url, poolclass=NullPool).connect() as connection:
    context.configure(
        connection=connection, target_metadata=MetaData(), transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
"""
_INI = "[alembic]\nscript_location = %(here)s\nprepend_sys_path = %(here)s\npath_separator = os\n"
_OURS_INI = f"{_INI}\n[pgmigrations]\ndatabase_url = settings.py:database_url\n"
_ALEMBIC_REVISION = '''\
"""Add table {number}

Revision ID: {name}
Revises: {parent}
"""

from __future__ import annotations

import sqlalchemy as sa
{import_op}

revision = "{name}"
down_revision = {parent!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "part_{number}",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("part_{number}")
'''
_NODE_REVISION = """\
exports.up = (pgm) => {{
  pgm.createTable('part_{number}', {{
    id: {{ type: 'serial', primaryKey: true }},
    title: {{ type: 'text', notNull: true }},
  }});
}};

exports.down = (pgm) => {{
  pgm.dropTable('part_{number}');
}};
"""
_STATEMENT = (
    "BEGIN;\n"
    "CREATE TABLE part_{number} (id serial, title text NOT NULL, PRIMARY KEY (id));\n"
    "COMMIT;\n"
)


def write_ours(folder: Path, revisions: int) -> None:
    """Write a project of this package's.

    Args:
        folder: Where to.
        revisions: How many.
    """
    folder.mkdir(parents=True)
    (folder / "alembic.ini").write_text(_OURS_INI)
    (folder / "env.py").write_text(OURS_ENV)
    (folder / "settings.py").write_text(OURS_SETTINGS)
    _write_alembic(folder / "versions", revisions, "from pgmigrations import op")


def write_plain(folder: Path, revisions: int) -> None:
    """Write a project with plain Alembic, a transaction for each revision."""
    folder.mkdir(parents=True)
    (folder / "alembic.ini").write_text(_INI)
    (folder / "env.py").write_text(PLAIN_ENV)
    _write_alembic(folder / "versions", revisions, "from alembic import op")


def write_node(folder: Path, revisions: int) -> None:
    """Write a project of node-pg-migrate's."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    for number in range(1, revisions + 1):
        text = _NODE_REVISION.format(number=number)
        (migrations / f"{number:04}_add_table_{number}.js").write_text(text)


def write_script(path: Path, revisions: int) -> None:
    """Write the least that could be done: the statements, with a commit per revision."""
    path.write_text("".join(_STATEMENT.format(number=one + 1) for one in range(revisions)))


def _write_alembic(versions: Path, revisions: int, import_op: str) -> None:
    versions.mkdir()
    parent = None
    for number in range(1, revisions + 1):
        name = f"{number:04}_add_table_{number}"
        text = _ALEMBIC_REVISION.format(
            number=number, name=name, parent=parent, import_op=import_op
        )
        (versions / f"{name}.py").write_text(text)
        parent = name
