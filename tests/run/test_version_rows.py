"""The version rows and the ledger go together, whatever the history is like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.project import Project

REVISION = """\
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
    op.execute("CREATE TABLE t_{number} (id int)")

def downgrade():
    op.execute("DROP TABLE t_{number}")
"""
HISTORY: dict[str, Any] = {
    "001_one": None,
    "002_left": "001_one",
    "003_right": "001_one",
    "004_both": ("002_left", "003_right"),
    "005_last": "004_both",
}


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path, database_url, settings={"version_table": "My versions %%s"})
    for number, (revision, parent) in enumerate(HISTORY.items()):
        text_ = REVISION.format(revision=revision, parent=parent, number=number)
        (project.versions / f"{revision}.py").write_text(text_)
    return project


def rows(project: Project, sql: str) -> list[str]:
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        return [one for (one,) in connection.execute(text(sql.replace(":", r"\:")))]


def versions(project: Project) -> set[str]:
    return set(rows(project, 'SELECT version_num FROM "My versions %s"'))


def ledger(project: Project) -> list[str]:
    said = "revision || ' ' || status"
    return rows(project, f'SELECT {said} FROM "My versions %s_history" ORDER BY id')


def test_branches_part_and_join_in_both_directions(project: Project) -> None:
    project.upgrade("001_one")
    project.upgrade("002_left")
    project.upgrade("003_right")
    assert versions(project) == {"002_left", "003_right"}
    project.upgrade()
    assert versions(project) == {"005_last"}
    project.downgrade("004_both")
    assert versions(project) == {"004_both"}
    project.downgrade("001_one")
    assert versions(project) == {"001_one"}
    project.upgrade()
    project.downgrade("base")
    assert versions(project) == set()
    applied, reverted = (
        sorted(one.partition(" ")[0] for one in ledger(project) if one.endswith(status))
        for status in (" applied", " reverted")
    )
    assert applied == reverted
    assert set(applied) == set(HISTORY)


def test_stamps_move_every_row(project: Project) -> None:
    project.upgrade("003_right")
    project.run("stamp", "004_both")
    assert versions(project) == {"004_both"}
    project.run("stamp", "001_one")
    assert versions(project) == {"001_one"}
    project.run("stamp", "--purge", "005_last")
    assert versions(project) == {"005_last"}
    project.run("stamp", "base")
    assert versions(project) == set()
    assert {"002_left stamped", "005_last unstamped"} <= set(ledger(project))
