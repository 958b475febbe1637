"""What the commands that read and mend the ledger say and do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.run.lock import LockKeys
from tests.support.project import Project

REVISION = """\
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
    op.execute({sql!r})

def downgrade():
    pass
"""


def write(project: Project, revision: str, parent: str | None, sql: str = "SELECT 1") -> Path:
    path = project.versions / f"{revision}.py"
    path.write_text(REVISION.format(revision=revision, parent=parent, sql=sql))
    return path


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path / "project", database_url)
    write(project, "001_one", None)
    write(project, "002_two", "001_one")
    return project


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgmigrations.cli", *arguments],
        cwd=project.path,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def states(project: Project) -> tuple[int, dict[str, str]]:
    done = run(project, "status", "--json")
    assert done.stdout, done.stderr
    return done.returncode, {one["revision"]: one["state"] for one in json.loads(done.stdout)}


def test_status_tells_pending_from_applied(project: Project) -> None:
    assert states(project) == (1, {"001_one": "pending", "002_two": "pending"})
    project.upgrade("001_one")
    assert states(project) == (1, {"001_one": "applied", "002_two": "pending"})
    project.upgrade()
    assert states(project) == (0, {"001_one": "applied", "002_two": "applied"})
    printed = run(project, "status")
    assert printed.returncode == 0
    assert "all applied" in printed.stdout


def test_status_tells_what_failed_and_what_is_ahead(project: Project) -> None:
    project.upgrade()
    bad = write(project, "003_bad", "002_two", "nonsense")
    assert run(project, "upgrade", "head").returncode != 0
    done = run(project, "status", "--json")
    last = json.loads(done.stdout)[-1]
    assert (done.returncode, last["state"]) == (1, "failed")
    assert "nonsense" in last["error"]
    bad.unlink()
    path = write(project, "003_good", "002_two")
    project.upgrade()
    path.unlink()
    code, found = states(project)
    assert (code, found["003_good"]) == (0, "ahead")


def test_a_changed_revision_is_told_and_accepted(project: Project) -> None:
    project.upgrade()
    path = write(project, "001_one", None, "SELECT 2")
    done = run(project, "status")
    assert done.returncode == 1
    assert "changed since" in done.stdout
    assert "001_one" in run(project, "repair").stdout
    assert run(project, "status").returncode == 0
    path.write_text(path.read_text().replace("\n\n", "\n\n# A comment\n"))
    assert run(project, "status").returncode == 0
    assert "repaired" in run(project, "log").stdout


def test_the_log_works_without_a_ledger(project: Project) -> None:
    assert run(project, "log").returncode == 0
    project.upgrade()
    found = json.loads(run(project, "log", "-n", "1", "--json").stdout)
    assert [(one["name"], one["status"]) for one in found] == [("002_two", "applied")]


def test_fake_records_only(project: Project) -> None:
    write(project, "003_bad", "002_two", "nonsense")
    assert run(project, "fake").returncode == 0
    assert states(project)[0] == 0
    assert json.loads(run(project, "log", "-n", "1", "--json").stdout)[0]["status"] == "stamped"


def test_unlock_names_the_holder_and_ends_it(project: Project) -> None:
    assert run(project, "unlock").stdout == "Nobody holds the lock\n"
    keys = LockKeys.of(str(make_url(project.url).database), "public", "pgmigrations")
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.connect() as other:
        other.execute(text("SET application_name = 'hanging'"))
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": keys.runner})
        other.commit()
        refused = run(project, "unlock")
        assert refused.returncode != 0
        assert "hanging" in refused.stdout
        assert "is ended" in run(project, "unlock", "--yes").stdout
        other.invalidate()
    assert run(project, "upgrade").returncode == 0
