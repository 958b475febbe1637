from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgmigrations.embedded.cli import main
from pgmigrations.embedded.project import find_server

RUN = "import sys; from pgmigrations.embedded.cli import main; sys.exit(main(sys.argv[1:]))"


def run(
    project: Path, command: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, command, "--project", str(project), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environ},
    )


@pytest.fixture
def project(place: Path) -> Path:
    folder = place / "project"
    folder.mkdir(mode=0o755)
    return folder


def test_commands_from_start_to_stop(project: Path) -> None:
    status = run(project, "status")
    assert (status.returncode, status.stdout.split("\n")[0]) == (3, "running  no")
    assert list(project.iterdir()) == []

    start = run(project, "start", CI="true")
    assert start.returncode == 0, start.stderr
    assert start.stdout.startswith("postgresql://postgres@/app?host=")
    assert start.stderr.startswith("Using the embedded PostgreSQL 18.")

    again = run(project, "start")
    assert (again.returncode, again.stdout) == (0, start.stdout)

    url = run(project, "url")
    assert (url.returncode, url.stdout, url.stderr) == (0, start.stdout, "")
    url = run(project, "url", "--driver", "psycopg2", "--database", "a b")
    assert url.stdout.startswith("postgresql+psycopg2://postgres@/a%20b?host=")

    status = run(project, "status")
    assert status.returncode == 0
    assert f"pid      {find_server(project).status().pid}" in status.stdout

    psql = run(project, "psql", "--", "-XAtc", "SELECT current_database()")
    assert (psql.returncode, psql.stdout) == (0, "app\n")

    stop = run(project, "stop")
    assert (stop.returncode, stop.stdout) == (0, "Stopped the embedded server\n")
    stop = run(project, "stop")
    assert (stop.returncode, stop.stdout) == (0, "The embedded server is not running\n")


def test_psql_starts_the_server(project: Path) -> None:
    psql = run(project, "psql", "--database", "Odd Name", "--", "-XAtc", "SELECT 40 + 2")
    assert (psql.returncode, psql.stdout) == (0, "42\n")
    failed = run(project, "psql", "--", "-XAtc", "SELECT nothing")
    assert failed.returncode == 1


def test_url_of_a_stopped_server_is_one_line_on_stderr(project: Path) -> None:
    url = run(project, "url")
    assert (url.returncode, url.stdout) == (1, "")
    assert url.stderr.startswith("error: The embedded server in")
    assert url.stderr.count("\n") == 1
    assert "pgmigrations embedded start" in url.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["restart"], ["stop", "--database", "x"], ["start", "--", "x"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pgmigrations embedded" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert 'export DATABASE_URL="$(pgmigrations embedded url)"' in capsys.readouterr().out


def test_commands_load_neither_alembic_nor_sqlalchemy(project: Path) -> None:
    script = (
        "import sys; from pgmigrations.embedded.cli import main; project = sys.argv[1]\n"
        "assert main(['start', '--project', project]) == 0\n"
        "assert main(['stop', '--project', project]) == 0\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('alembic', 'sqlalchemy')))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(project)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.endswith("\n[]\n")
