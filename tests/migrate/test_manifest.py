"""The manifest is written when the files have been read, and Alembic's upgrade goes by it."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pgmigrations.run.at_head import up_to_date
from pgmigrations.run.checksum import checksum
from tests.run.looked_at import LookedAt, command_line


@pytest.fixture
def looked_at(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> LookedAt:
    """A project with three revisions that are not applied."""
    monkeypatch.chdir(tmp_path)
    made = LookedAt(tmp_path, database_url)
    made.revisions(3)
    return made


def url_in(project: LookedAt) -> str:
    found: str = json.loads(project.manifest.read_text())["url"]
    return found


def test_an_upgrade_writes_it_and_the_next_reads_no_revision(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    assert looked_at.was_read()
    assert looked_at.manifest.exists()
    looked_at.project.upgrade()
    assert not looked_at.was_read()


def test_an_upgrade_with_work_to_do_reads_the_revisions(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    looked_at.project.downgrade()
    looked_at.was_read()
    looked_at.project.upgrade()
    assert looked_at.was_read()
    assert up_to_date("head") == ["0003_part"]


def test_a_half_done_revision_is_not_passed_over(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    looked_at.history([("0002_part", "started")])
    looked_at.was_read()
    looked_at.project.upgrade()
    assert looked_at.was_read()


def test_the_ledger_gets_the_checksums_that_it_has_while_the_files_are_as_they_were(
    looked_at: LookedAt,
) -> None:
    looked_at.project.upgrade()
    first, *_ = looked_at.project.revisions()
    revision, code = "0001_part", checksum(first.read_text())
    assert json.loads(looked_at.manifest.read_text())["checksums"][revision] == code
    edited = first.read_text().replace("def upgrade", "edited = 1\n\n\ndef upgrade")
    first.write_text(edited)
    looked_at.project.downgrade("base")
    looked_at.project.upgrade()
    with create_engine(looked_at.project.url, poolclass=NullPool).connect() as connection:
        of_it = "SELECT checksum FROM pgmigrations_history WHERE revision = :revision ORDER BY id"
        found = connection.execute(text(of_it), {"revision": revision}).scalars().all()
    assert found == [code, checksum(edited), checksum(edited)]
    assert code != checksum(edited)


@pytest.mark.parametrize("command", ["current", "history", "heads", "show"])
def test_other_commands_are_as_ever(looked_at: LookedAt, command: str) -> None:
    arguments = [command, "0003_part"] if command == "show" else [command]
    looked_at.project.upgrade()
    with_manifest = looked_at.project.run(*arguments)
    looked_at.manifest.unlink()
    assert looked_at.project.run(*arguments) == with_manifest
    assert not looked_at.manifest.exists()


def test_sql_output_is_as_ever(looked_at: LookedAt) -> None:
    without = looked_at.project.sql("upgrade")
    looked_at.project.upgrade()
    assert looked_at.project.sql("upgrade") == without
    assert "0003_part" in without


def test_a_new_revision_is_numbered_behind_those_that_are_known(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    looked_at.project.run("revision", "-m", "more")
    assert looked_at.project.revisions()[-1].name == "0004_more.py"
    assert up_to_date("head") is None


def test_a_folder_that_takes_no_file_keeps_nobody_from_upgrading(looked_at: LookedAt) -> None:
    # Root, as whom tests may run, may write into any folder; nobody may replace a folder by a file.
    looked_at.manifest.mkdir()
    (looked_at.manifest / "x").touch()
    looked_at.project.upgrade()
    looked_at.project.upgrade()
    assert up_to_date("head") is None
    assert list(looked_at.path.glob(".pgmigrations-manifest.json.*")) == []


def test_packaging_writes_it_without_a_database(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    looked_at.manifest.unlink()
    (looked_at.path / "database_url").unlink()
    done = command_line(looked_at, "manifest")
    assert (done.returncode, done.stdout) == (0, "Manifest written: at head is 0003_part\n")
    (looked_at.path / "database_url").write_text(looked_at.url)
    assert up_to_date("head") == ["0003_part"]


def test_packaging_says_what_is_missing(tmp_path: Path, database_url: str) -> None:
    project = LookedAt(tmp_path, database_url, {"database_url": ""})
    project.revisions(1)
    done = command_line(project, "manifest")
    assert done.returncode == 0
    assert "[pgmigrations] has no database_url" in done.stdout
    assert url_in(project) == ""


def test_a_project_without_our_env_py_has_none(tmp_path: Path, database_url: str) -> None:
    project = LookedAt(tmp_path, database_url)
    env = "from alembic import context\ncontext.configure(dialect_name='postgresql')\n"
    (tmp_path / "alembic" / "env.py").write_text(env + "context.run_migrations()\n")
    done = command_line(project, "manifest")
    assert done.returncode != 0
    assert "There is no manifest" in done.stdout
    assert not project.manifest.exists()


def test_our_revision_command_renews_it(looked_at: LookedAt) -> None:
    looked_at.project.upgrade()
    before = looked_at.manifest.read_text()
    assert command_line(looked_at, "revision", "-m", "more").returncode == 0
    after = json.loads(looked_at.manifest.read_text())
    assert after["heads"] == ["0004_more"]
    assert after["revisions"] != json.loads(before)["revisions"]


def test_a_function_that_names_another_database_is_not_believed(
    looked_at: LookedAt, caplog: pytest.LogCaptureFixture
) -> None:
    settings = looked_at.path / "settings.py"
    other = ".read_text()).with_database('other')"
    settings.write_text(settings.read_text().replace(".read_text())", other))
    with caplog.at_level(logging.WARNING, "pgmigrations"):
        looked_at.project.upgrade()
    assert "env.py connects to another database" in caplog.text
    assert url_in(looked_at) == ""
    assert up_to_date("head") is None
    looked_at.was_read()
    looked_at.project.upgrade()
    assert not looked_at.was_read()


def test_a_version_table_that_env_py_names_itself_is_not_looked_at(
    looked_at: LookedAt,
) -> None:
    env = looked_at.path / "alembic" / "env.py"
    said = env.read_text()
    changed = said.replace(
        "configure_arguments(metadata)",
        'configure_arguments(metadata, settings={"version_table": "versions"})',
    )
    assert changed != said
    env.write_text(changed)
    looked_at.project.upgrade()
    assert url_in(looked_at) == ""
    looked_at.was_read()
    looked_at.project.upgrade()
    assert not looked_at.was_read()
    with create_engine(looked_at.url, poolclass=NullPool).connect() as connection:
        found = connection.execute(text("SELECT version_num FROM versions")).scalars().all()
    assert found == ["0003_part"]


def test_what_is_edited_while_an_upgrade_runs_is_not_taken_for_read(looked_at: LookedAt) -> None:
    path = looked_at.project.revisions()[1]
    edit = f"    path = Path({str(path)!r})\n    path.write_text(path.read_text() + '# edited')\n"
    path.write_text(path.read_text().replace("def upgrade():\n", f"def upgrade():\n{edit}"))
    looked_at.project.upgrade()
    assert not looked_at.manifest.exists()
    looked_at.project.upgrade()
    assert looked_at.manifest.exists()


def test_it_holds_no_secret(looked_at: LookedAt, monkeypatch: pytest.MonkeyPatch) -> None:
    env = looked_at.path / "alembic" / "env.py"
    env.write_text(env.read_text() + '\nimport os\nos.environ["SECRET_NAME"]\n')
    monkeypatch.setenv("SECRET_NAME", "hidden-one")
    looked_at.project.upgrade()
    said = looked_at.manifest.read_text()
    assert "SECRET_NAME" in said
    assert "hidden-one" not in said
    assert os.environ["SECRET_NAME"] == "hidden-one"
    assert up_to_date("head") is None
