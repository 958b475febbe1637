"""What a run does not need of the rooms it does not import; what it calls is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import Project

RUN = """\
import sys
from alembic.config import main
main(argv=["upgrade", "head"])
rooms = "pgmigrations.migrate.objects."
print(sorted({name.removeprefix(rooms).split(".")[0] for name in sys.modules if rooms in name}))
"""
REVISION = """\
import sqlalchemy as sa
from {package} import op

revision, down_revision = "001_first", None


def upgrade():
    op.create_table("item", sa.Column("id", sa.Integer, primary_key=True))
    {operation}


def downgrade():
    op.drop_table("item")
"""


@pytest.mark.parametrize("package", ["alembic", "pgmigrations"])
@pytest.mark.parametrize(
    ("operation", "rooms"),
    [
        ("pass", "[]"),
        ("op.create_enum('mood', ['sad', 'glad'])", "['enum']"),
        ("op.create_unique_constraint('u', 'item', ['id'], if_not_exists=True)", "['constraint']"),
        ("op.create_index('i', 'item', ['id'], if_not_exists=True)", "['index']"),
    ],
)
def test_a_room_is_imported_when_its_operation_is_called(
    tmp_path: Path, database_url: str, package: str, operation: str, rooms: str
) -> None:
    project = Project(tmp_path / "project", database_url)
    revision = REVISION.format(package=package, operation=operation)
    (project.versions / "001_first.py").write_text(revision)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == rooms
