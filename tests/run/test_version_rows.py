"""The version rows and the ledger go together, whatever the history is like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.run.ledger import APPLIED
from pgmigrations.run.lock import LockKeys, runner_lock
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
    project = Project(
        tmp_path, database_url, settings={"version_table": "My versions %%s", "lock_wait": "0s"}
    )
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


def settled(project: Project) -> set[str]:
    """What the ledger says that the database has."""
    said: dict[str, str] = dict(one.split(" ") for one in ledger(project))
    return {revision for revision, status in said.items() if status in APPLIED}


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


def test_a_purge_leaves_the_ledger_with_what_it_says(project: Project) -> None:
    project.upgrade()
    project.run("stamp", "--purge", "002_left", "003_right")
    assert versions(project) == {"002_left", "003_right"}
    assert settled(project) == {"001_one", "002_left", "003_right"}
    project.run("stamp", "--purge", "base")
    assert versions(project) == settled(project) == set()


GIVEN, RUN = "context.configure(connection=connection, **arguments)", "context.run_migrations()"


@pytest.mark.parametrize("is_in_a_transaction", [False, True])
def test_a_purge_takes_away_rows_of_no_file(project: Project, is_in_a_transaction: bool) -> None:
    project.upgrade("002_left")
    rows(project, "UPDATE \"My versions %s\" SET version_num = 'lost' RETURNING 1")
    if is_in_a_transaction:
        env = project.path / "alembic" / "env.py"
        parts = env.read_text().rpartition(RUN)
        begun = parts[0].replace(GIVEN, f"connection.begin()\n        {GIVEN}")
        assert begun != parts[0]
        env.write_text(f"{begun}{RUN}\n        connection.commit(){parts[2]}")
    project.run("stamp", "--purge", "004_both")
    assert versions(project) == {"004_both"}
    assert settled(project) == {*HISTORY} - {"005_last"}
    project.upgrade()
    assert versions(project) == {"005_last"}


def test_a_purge_waits_for_the_lock(project: Project) -> None:
    project.upgrade()
    keys = LockKeys.of(str(make_url(project.url).database), "public", "My versions %s")
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        with runner_lock(driver, keys, wait=0), pytest.raises(CommandError, match="Another run"):
            project.run("stamp", "--purge", "base")
    assert versions(project) == {"005_last"}
