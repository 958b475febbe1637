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
from tests.support.script import run_script

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
    assert states(project) == (3, {"001_one": "pending", "002_two": "pending"})
    project.upgrade("001_one")
    assert states(project) == (3, {"001_one": "applied", "002_two": "pending"})
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
    assert (done.returncode, last["state"]) == (3, "failed")
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
    assert done.returncode == 3
    assert "changed since" in done.stdout
    assert run(project, "repair").returncode == 255
    assert run(project, "repair", "002_two", "--yes").returncode == 255
    assert "001_one" in run(project, "repair", "001_one", "--yes").stdout
    assert run(project, "status").returncode == 0
    path.write_text(path.read_text().replace("\n\n", "\n\n# A comment\n"))
    assert run(project, "status").returncode == 0
    assert "repaired" in run(project, "log").stdout


def test_a_failed_downgrade_hides_neither_a_change_nor_what_is_ahead(project: Project) -> None:
    project.upgrade()
    path = write(project, "002_two", "001_one", "SELECT 2")
    path.write_text(path.read_text().replace("    pass", "    op.execute('nonsense')"))
    assert run(project, "downgrade", "-1").returncode != 0
    assert "changed since" in run(project, "status").stdout
    path.unlink()
    assert states(project) == (0, {"001_one": "applied", "002_two": "ahead"})


def test_a_half_done_downgrade_is_told_and_finished_first(project: Project) -> None:
    path = write(project, "003_pieces", "002_two", "SELECT 3")
    half = "    op.get_context().autocommit_block().__enter__()\n    op.execute('nonsense')"
    good = path.read_text()
    path.write_text(good.replace("    pass", half))
    project.upgrade()
    assert run(project, "downgrade", "-1").returncode != 0
    assert states(project)[1]["003_pieces"] == "half done"
    refused = run(project, "upgrade", "head")
    assert refused.returncode != 0
    assert "The downgrade of 003_pieces is half done" in refused.stdout + refused.stderr
    path.write_text(good)
    assert run(project, "downgrade", "-1").returncode == 0
    assert run(project, "upgrade", "head").returncode == 0
    assert states(project)[0] == 0


def test_a_stamp_covers_what_it_passes_over(project: Project) -> None:
    """Its revisions can be told changed, and a rolled-back deployment finds them applied."""
    path = write(project, "003_three", "002_two")
    assert run(project, "fake").returncode == 0
    assert json.loads(run(project, "log", "-n", "1", "--json").stdout)[0]["checksum"]
    write(project, "001_one", None, "SELECT 2")
    assert run(project, "status").returncode == 3
    path.unlink()
    assert run(project, "upgrade", "head").returncode == 0
    write(project, "001_one", None)
    assert states(project) == (
        0,
        {"001_one": "applied", "002_two": "applied", "003_three": "ahead"},
    )


@pytest.mark.needs_server(min=14)
def test_it_works_in_a_schema_with_an_odd_name_that_is_only_read(
    tmp_path: Path, database_url: str
) -> None:
    schema = 'Odd "schema" % ä'
    quoted = schema.replace('"', '""')
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE SCHEMA "{quoted}"'.replace("%", "%%"))
    settings = {"version_table": "My Versions", "version_table_schema": schema.replace("%", "%%")}
    project = Project(tmp_path / "odd", database_url, settings=settings)
    write(project, "001_one", None)
    project.upgrade()
    with engine.begin() as connection:
        database = make_url(database_url).database
        connection.exec_driver_sql(
            f'ALTER DATABASE "{database}" SET default_transaction_read_only = on'
        )
    assert states(project) == (0, {"001_one": "applied"})
    assert "001_one" in run(project, "log").stdout
    assert run(project, "unlock").stdout == "Nobody holds the lock\n"


def test_a_wrong_number_is_no_crash(project: Project) -> None:
    done = run(project, "log", "-n", "-1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


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


def test_an_upgrade_refuses_changed_code_where_it_is_told_to(project: Project) -> None:
    """Also with nothing to run, and also behind a manifest, which knows nothing of the ledger."""
    ini = project.path / "alembic.ini"
    settings = "[pgmigrations]\nrefuse_changed = true\ndatabase_url = url.py:database_url"
    ini.write_text(ini.read_text().replace("[pgmigrations]", settings))
    (project.path / "url.py").write_text(
        "from pathlib import Path\n"
        "from pgmigrations.database_url import parse_database_url\n"
        "def database_url():\n"
        "    return parse_database_url(Path(__file__).with_name('database_url').read_text())\n"
    )
    assert run(project, "upgrade").returncode == 0
    write(project, "001_one", None, "SELECT 2")
    assert run(project, "manifest").returncode == 0
    refused = run(project, "upgrade")
    assert refused.returncode != 0
    assert "Changed since it was applied: 001_one" in refused.stdout + refused.stderr
    assert run(project, "repair", "--yes").returncode == 0
    assert run(project, "upgrade").returncode == 0


@pytest.mark.parametrize("command", [["upgrade"], ["dry-run"], ["fake"], ["stamp", "head"]])
def test_several_heads_are_told_with_what_to_do(project: Project, command: list[str]) -> None:
    write(project, "003_three", "001_one")
    done = run(project, *command)
    assert done.returncode
    assert "There are 2 heads: 002_two, 003_three" in done.stdout
    assert "pgmigrations rebase" in done.stdout
    assert "alembic merge heads" in done.stdout


def test_rows_of_which_one_follows_the_other_are_one_line(project: Project) -> None:
    run_script(
        project.url,
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('001_one'), ('002_two')",
    )
    done = run(project, "adopt")
    assert done.returncode
    assert "FAILED: " in done.stdout
    assert "overlaps" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["status"], ["log"], ["dry-run"], ["unlock"], ["repair"]])
def test_commands_leave_a_transaction_of_env_pys_own_to_it(
    project: Project, command: list[str]
) -> None:
    env = project.path / "alembic" / "env.py"
    text_ = env.read_text().replace("as connection:", "as connection, connection.begin():")
    assert "connection.begin()" in text_
    env.write_text(text_)
    project.upgrade("001_one")
    done = run(project, *command)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
