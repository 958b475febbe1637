"""A database that is at head is recognised quickly, and any other never."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pgmigrations
from benchmarks.proxy import relay
from pgmigrations.database_url import parse_database_url
from pgmigrations.run.at_head import up_to_date
from tests.run.looked_at import LookedAt, command_line
from tests.support.project import REPOSITORY


@pytest.fixture
def looked_at(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> LookedAt:
    """A project with three revisions, at whose head the database is."""
    monkeypatch.chdir(tmp_path)
    made = LookedAt(tmp_path, database_url)
    made.revisions(3)
    made.project.upgrade()
    assert made.was_read()
    return made


@pytest.mark.parametrize("target", ["head", "heads"])
def test_a_database_at_head_is_recognised(looked_at: LookedAt, target: str) -> None:
    assert up_to_date(target) == ["0003_part"]
    assert not looked_at.was_read()


def test_the_command_says_so_in_one_line(looked_at: LookedAt) -> None:
    for arguments in (["upgrade"], ["upgrade", "head"], ["-c", looked_at.ini, "upgrade", "heads"]):
        done = command_line(looked_at, *arguments)
        told = (done.returncode, done.stdout, done.stderr)
        assert told == (0, "Up to date at 0003_part\n", "")
        assert not looked_at.was_read()


def test_neither_sqlalchemy_nor_alembic_is_imported(looked_at: LookedAt) -> None:
    code = (
        "import sys, json; from pgmigrations.cli import main; assert main(['upgrade']) == 0; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=looked_at.path,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said, modules = done.stdout.splitlines()
    assert said == "Up to date at 0003_part"
    packages = {name.partition(".")[0] for name in json.loads(modules)}
    assert {"psycopg2", "pgmigrations"} <= packages
    slow = {"alembic", "sqlalchemy", "mako", "rich", "ast", "typing", "dataclasses", "configparser"}
    assert packages.isdisjoint(slow)


@pytest.mark.parametrize("revisions", [10, 1000])
def test_one_statement_is_enough_whatever_the_number_of_revisions(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, revisions: int
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    project.revisions(revisions)
    head = f"{revisions:04}_part"
    project.project.run("stamp", "head")
    project.project.upgrade()
    url = parse_database_url(database_url)
    assert url.host is not None
    assert url.port is not None
    with relay(url.host, url.port) as between:
        through = f"postgresql://{url.user}@127.0.0.1:{between.port}/{url.database}"
        (tmp_path / "database_url").write_text(through)
        project.was_read()
        assert up_to_date("head") == [head]
        assert len(between.statements) == 1
        assert between.connections == 1
        # The request for TLS, the login, and the statement.
        assert between.round_trips <= 4
    assert not project.was_read()


def _edit(name: str) -> Callable[[LookedAt], object]:
    def edit(project: LookedAt) -> object:
        path = project.path / name
        return path.write_text(path.read_text() + "\n# edited\n")

    return edit


CHANGES: dict[str, Callable[[LookedAt], object]] = {
    "no manifest": lambda project: project.manifest.unlink(),
    "broken manifest": lambda project: project.manifest.write_text("{"),
    "another manifest": lambda project: project.manifest.write_text("[]"),
    "edited revision": _edit("alembic/versions/0002_part.py"),
    "edited env.py": _edit("alembic/env.py"),
    "edited alembic.ini": _edit("alembic.ini"),
    "edited settings": _edit("settings.py"),
    "new revision": lambda project: project.revision("0004_part", "0003_part"),
    "revision gone": lambda project: (project.path / "alembic/versions/0003_part.py").unlink(),
    "env.py gone": lambda project: (project.path / "alembic/env.py").unlink(),
    "pyproject.toml": lambda project: (project.path / "pyproject.toml").write_text("[tool]\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_has_changed_leads_the_long_way(
    looked_at: LookedAt, change: Callable[[LookedAt], object]
) -> None:
    assert up_to_date("head") is not None
    change(looked_at)
    assert up_to_date("head") is None


def test_a_file_that_is_only_newer_has_not_changed(looked_at: LookedAt) -> None:
    for path in (Path(looked_at.ini), *looked_at.project.revisions()):
        os.utime(path, (1, 1))
    assert up_to_date("head") == ["0003_part"]


def test_an_edit_that_keeps_size_and_time_is_seen(looked_at: LookedAt) -> None:
    path = looked_at.project.revisions()[1]
    before = path.stat()
    path.write_text(path.read_text().replace("SELECT 1", "SELECT 2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert up_to_date("head") is None


def test_another_version_of_the_package_leads_the_long_way(looked_at: LookedAt) -> None:
    text = looked_at.manifest.read_text()
    assert pgmigrations.__version__ in text
    looked_at.manifest.write_text(text.replace(pgmigrations.__version__, "0.0.1"))
    assert up_to_date("head") is None


def test_a_variable_that_env_py_may_ask_for_leads_the_long_way(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    project.revisions(1)
    env = tmp_path / "alembic" / "env.py"
    env.write_text(env.read_text() + '\nimport os\nschema = os.environ.get("TENANT")\n')
    project.project.upgrade()
    assert up_to_date("head") == ["0001_part"]
    monkeypatch.setenv("TENANT", "acme")
    assert up_to_date("head") is None


def test_a_configuration_named_by_the_environment_leads_the_long_way(
    looked_at: LookedAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALEMBIC_CONFIG", "other.ini")
    assert up_to_date("head") is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["-x", "tenant=acme", "upgrade", "head"],
        ["upgrade", "head", "--sql"],
        ["upgrade", "head", "--tag", "release"],
        ["upgrade", "0003_part"],
        ["--name", "alembic", "upgrade", "head"],
    ],
)
def test_any_other_way_to_ask_leads_the_long_way(looked_at: LookedAt, arguments: list[str]) -> None:
    _edit_env_to_tell(looked_at)
    done = command_line(looked_at, *arguments)
    assert done.returncode == 0, done.stderr
    assert (looked_at.path / "env_ran").exists()


def _edit_env_to_tell(project: LookedAt) -> None:
    env = project.path / "alembic" / "env.py"
    env.write_text(env.read_text() + '\n(HERE / "env_ran").touch()\n')
    project.project.upgrade()
    (project.path / "env_ran").unlink()
    assert command_line(project, "upgrade").stdout == "Up to date at 0003_part\n"
    assert not (project.path / "env_ran").exists()


@pytest.mark.parametrize("target", ["+1", "0003_part", "0003", "base", "part@head"])
def test_a_target_that_must_be_looked_up_is_left_to_the_upgrade(
    looked_at: LookedAt, target: str
) -> None:
    assert up_to_date(target) is None


STATES = {
    "behind": "UPDATE pgmigrations SET version_num = '0002_part'",
    "ahead": "UPDATE pgmigrations SET version_num = '0004_later'",
    "a row more": "INSERT INTO pgmigrations VALUES ('0004_later')",
    "no row": "DELETE FROM pgmigrations",
    "no table": "DROP TABLE pgmigrations",
    "elsewhere": "CREATE SCHEMA other; ALTER TABLE pgmigrations SET SCHEMA other",
    "node-pg-migrate's table": "DROP TABLE pgmigrations; CREATE TABLE pgmigrations ("
    "id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL); "
    "INSERT INTO pgmigrations (name, run_on) VALUES ('0003_part', now())",
    "a history of another sort": "DROP TABLE IF EXISTS pgmigrations_history; "
    "CREATE TABLE pgmigrations_history (a int)",
}


@pytest.mark.parametrize("statement", STATES.values(), ids=STATES)
def test_a_database_that_is_anything_but_at_head_is_left_to_the_upgrade(
    looked_at: LookedAt, statement: str
) -> None:
    looked_at.sql(*statement.split("; "))
    assert up_to_date("head") is None


def test_a_table_of_the_search_path_that_is_not_the_default_schemas_is_not_taken(
    looked_at: LookedAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at.sql("CREATE SCHEMA tenant")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=tenant,public")
    assert up_to_date("head") is None


def test_a_revision_that_is_half_done_is_left_to_the_upgrade(looked_at: LookedAt) -> None:
    looked_at.history([("0001_part", "started"), ("0001_part", "applied")])
    assert up_to_date("head") == ["0003_part"]
    looked_at.history([("0002_part", "applied"), ("0002_part", "started")])
    assert up_to_date("head") is None
    looked_at.history([("0002_part", "applied")])
    assert up_to_date("head") == ["0003_part"]


def test_a_failure_counts_where_it_may_have_undone_something(looked_at: LookedAt) -> None:
    looked_at.history([("0004_part", "failed")])
    assert up_to_date("head") == ["0003_part"]
    looked_at.history([("0003_part", "failed")], "downgrade")
    assert up_to_date("head") is None


def test_a_long_history_is_looked_through_quickly(looked_at: LookedAt) -> None:
    looked_at.history([])
    looked_at.sql(
        "INSERT INTO pgmigrations_history (name, run_on, revision, direction, status) "
        "SELECT revision, now(), revision, 'upgrade', status "
        "FROM generate_series(1, 10) AS time, generate_series(1, 5000) AS number, "
        "unnest(ARRAY['started', 'applied']) WITH ORDINALITY AS done (status, place), "
        "format('%s_part', number) AS revision ORDER BY time, number, place"
    )
    start = time.monotonic()
    assert up_to_date("head") == ["0003_part"]
    assert time.monotonic() - start < 2
    looked_at.history([("4999_part", "started")])
    assert up_to_date("head") is None


def test_the_version_table_may_have_any_name_and_schema(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"version_table": 'it\'s "100%%" $look$', "version_table_schema": "a b"}
    project = LookedAt(tmp_path, database_url, settings)
    project.sql('CREATE SCHEMA "a b"')
    project.revisions(2)
    project.project.upgrade()
    assert up_to_date("head") == ["0002_part"]
    project.sql("CREATE TABLE pgmigrations (version_num text)")
    assert up_to_date("head") == ["0002_part"]


def test_two_heads_are_recognised_by_the_target_heads_only(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    project.revision("001_root")
    project.revision("002_left", "001_root")
    project.revision("003_right", "001_root")
    project.project.upgrade("heads")
    assert up_to_date("heads") == ["002_left", "003_right"]
    assert up_to_date("head") is None
    project.sql("DELETE FROM pgmigrations WHERE version_num = '003_right'")
    assert up_to_date("heads") is None


def test_merged_branches_are_recognised(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    project.revision("001_root")
    project.revision("002_left", "001_root")
    project.revision("003_right", "001_root")
    project.project.upgrade("heads")
    project.revision("004_merged", ("002_left", "003_right"))
    assert up_to_date("head") is None
    project.project.upgrade()
    assert up_to_date("head") == ["004_merged"]


def test_a_head_that_another_depends_on_has_no_row_of_its_own(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    project.revision("001_shop")
    project.revision("002_bill", depends_on="001_shop")
    project.project.upgrade("heads")
    assert up_to_date("heads") == ["002_bill"]
    assert up_to_date("head") is None
    project.project.upgrade("heads")
    project.sql("UPDATE pgmigrations SET version_num = '001_shop'")
    assert up_to_date("heads") is None


def test_every_version_location_counts(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    other = tmp_path / "more"
    other.mkdir()
    ini = Path(project.ini)
    ini.write_text(
        ini.read_text().replace(
            "[alembic]", "[alembic]\nversion_locations = %(here)s/alembic/versions:%(here)s/more", 1
        )
    )
    project.revision("001_root")
    project.revision("002_more", "001_root", folder=other)
    project.project.upgrade()
    assert up_to_date("head") == ["002_more"]
    project.revision("003_more", "002_more", folder=other)
    assert up_to_date("head") is None


def test_subfolders_count_where_alembic_reads_them(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = LookedAt(tmp_path, database_url)
    ini = Path(project.ini)
    ini.write_text(
        ini.read_text().replace("[alembic]", "[alembic]\nrecursive_version_locations = true", 1)
    )
    below = project.project.versions / "2026"
    below.mkdir()
    project.revision("001_root", folder=below)
    project.project.upgrade()
    assert up_to_date("head") == ["001_root"]
    project.revision("002_more", "001_root", folder=below)
    assert up_to_date("head") is None


def test_a_server_that_cannot_be_reached_is_told_as_on_the_long_way(looked_at: LookedAt) -> None:
    (looked_at.path / "database_url").write_text("postgresql://user:hidden-one@127.0.0.1:1/x")
    quick = command_line(looked_at, "upgrade", "head")
    looked_at.manifest.unlink()
    long = command_line(looked_at, "upgrade", "head")
    assert quick.returncode == long.returncode != 0
    assert quick.stdout == long.stdout
    assert quick.stdout.startswith("FAILED: ")
    assert "hidden-one" not in quick.stdout + quick.stderr
    assert quick.stderr == ""


def test_a_project_that_cannot_say_where_its_database_is_is_left_to_env_py(
    looked_at: LookedAt,
) -> None:
    (looked_at.path / "database_url").unlink()
    assert up_to_date("head") is None


def test_what_the_project_says_while_it_looks_is_said_once(looked_at: LookedAt) -> None:
    settings = looked_at.path / "settings.py"
    text = settings.read_text()
    settings.write_text(
        text.replace("    return", "    print('Here!', file=sys.stderr)\n    return")
    )
    settings.write_text("import sys\n" + settings.read_text())
    looked_at.project.upgrade()
    assert up_to_date("head") is not None
    done = command_line(looked_at, "upgrade")
    assert (done.stdout, done.stderr) == ("Up to date at 0003_part\n", "Here!\n")
    looked_at.sql(STATES["behind"])
    assert command_line(looked_at, "upgrade").stderr.count("Here!") == 0
