"""What `--sql` output looks at, in every history, before it does anything."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tests.run.test_runner import ledger, query
from tests.support.project import Project
from tests.support.script import run_script

REVISION = """\
from pgmigrations import op
revision, down_revision, depends_on = {revision!r}, {parent!r}, {needed!r}

def upgrade():
    op.execute("INSERT INTO done VALUES ('{revision}')")

def downgrade():
    op.execute("DELETE FROM done WHERE name = '{revision}'")
"""
HISTORIES: dict[str, Sequence[tuple[Any, ...]]] = {
    "a line": (("002", "001", None), ("003", "002", None)),
    "a merge": (("002", "001", None), ("003", "001", None), ("004", ("002", "003"), None)),
    "two heads": (("002", "001", None), ("003", None, "002")),
}
REFUSED = "this script goes on from revision"


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    run_script(database_url, "CREATE TABLE done (name text)")
    project = Project(tmp_path / "project", database_url)
    write(project, "001", None, None)
    project.upgrade()
    return project


def write(project: Project, revision: str, parent: object, needed: str | None) -> None:
    text = REVISION.format(revision=revision, parent=parent, needed=needed)
    (project.versions / f"{revision}.py").write_text(text)


def done(project: Project) -> list[str]:
    return [name for (name,) in query(project.url, "SELECT name FROM done ORDER BY name")]


@pytest.mark.parametrize("history", HISTORIES)
def test_a_script_is_run_once(project: Project, history: str) -> None:
    for one in HISTORIES[history]:
        write(project, *one)
    names = ["001", *(one[0] for one in HISTORIES[history])]
    script = project.sql("upgrade", "001:heads")
    run_script(project.url, script)
    assert done(project) == names
    for statement in transactions(script):
        with pytest.raises(DBAPIError, match=REFUSED):
            run_script(project.url, statement)
    assert done(project) == names
    assert sorted(one for one, *_ in ledger(project.url)) == names
    project.upgrade("heads")
    assert done(project) == names


def transactions(script: str) -> list[str]:
    """The transactions of a script, each by itself, as psql goes on after one has failed."""
    found = [f"BEGIN;{one}" for one in script.split("BEGIN;")[1:]]
    assert found
    return found


def test_two_of_a_script_at_once_do_it_once(project: Project) -> None:
    for one in HISTORIES["a line"]:
        write(project, *one)
    path = project.versions / "002.py"
    path.write_text(path.read_text().replace("INSERT", "SELECT pg_sleep(0.5); INSERT"))
    script = project.sql("upgrade", "001:heads")
    failures: list[str] = []

    def run() -> None:
        try:
            run_script(project.url, script)
        except DBAPIError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [REFUSED in one for one in failures] == [True]
    assert done(project) == ["001", "002", "003"]


def test_a_stamp_refuses_another_database(project: Project) -> None:
    for one in HISTORIES["a line"]:
        write(project, *one)
    script = project.sql("stamp", "002:003")
    with pytest.raises(DBAPIError, match=REFUSED):
        run_script(project.url, script)
    assert [one for one, *_ in ledger(project.url)] == ["001"]
    project.upgrade("002")
    run_script(project.url, script)
    assert ledger(project.url)[-1][:2] == ("003", "stamped")


def test_a_comment_takes_no_semicolon_with_it(project: Project) -> None:
    write(project, "002", "001", None)
    path = project.versions / "002.py"
    path.write_text(path.read_text().replace("('002')", "('002') -- at the end"))
    run_script(project.url, project.sql("upgrade", "001:002"))
    assert done(project) == ["001", "002"]
