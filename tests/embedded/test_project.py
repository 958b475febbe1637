from __future__ import annotations

import shutil
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.embedded import EmbeddedError, EmbeddedServer, RefusedError, embedded_url
from pgmigrations.embedded.project import find_server, project_server
from tests.embedded.conftest import OrdinaryUser, is_private, needs_root, query


@pytest.fixture
def project(place: Path) -> Path:
    folder = place / "project"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def closed_project(place: Path) -> Path:
    """A project below a folder that only root can pass, as in root's home."""
    folder = place / "home" / "my project"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    return folder


def url_of(
    project: Path, environ: dict[str, str] | None = None, *, elsewhere: Path = Path("/nowhere")
) -> str:
    environ = environ or {}
    return embedded_url(
        project, environ=environ, announce=lambda line: None, markers=(), elsewhere=elsewhere
    )


def database_of(url: str) -> str:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            ((name,),) = cursor.fetchall()
            return str(name)
    finally:
        connection.close()


def test_url_starts_the_server_makes_the_database_and_says_so_each_time(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = embedded_url(project, environ={}, markers=())
    assert url.startswith("postgresql+psycopg2://postgres@/app?host=")
    assert database_of(url) == "app"
    lines: list[str] = []
    assert embedded_url(project, environ={}, markers=(), announce=lines.append) == url
    captured = capsys.readouterr()
    version = EmbeddedServer(project / ".pgdata").tree.version_text
    expected = (
        f"Using the embedded PostgreSQL {version} in .pgdata"
        " (set DATABASE_URL to use another server)"
    )
    assert captured.err == expected + "\n"
    assert captured.out == ""
    assert lines == [expected]


def test_data_folder_keeps_itself_out_of_git(project: Path) -> None:
    url_of(project)
    assert (project / ".pgdata" / ".gitignore").read_text() == "*\n"


def test_other_database_can_be_asked_for(project: Path) -> None:
    url = embedded_url(
        project, database="o'ther", environ={}, markers=(), announce=lambda line: None
    )
    assert database_of(url) == "o'ther"


@pytest.mark.parametrize(
    ("environ", "sign"),
    [
        ({"CI": "true"}, "CI is set"),
        ({"CI": "1"}, "CI is set"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "KUBERNETES_SERVICE_HOST"),
        ({"ECS_CONTAINER_METADATA_URI": "x"}, "ECS_CONTAINER_METADATA_URI"),
        ({"ECS_CONTAINER_METADATA_URI_V4": "x"}, "ECS_CONTAINER_METADATA_URI_V4"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "migrate"}, "AWS Lambda"),
    ],
)
def test_deployments_are_refused_with_two_ways_out(
    project: Path, environ: dict[str, str], sign: str
) -> None:
    with pytest.raises(RefusedError, match=sign) as caught:
        url_of(project, environ)
    assert "Set DATABASE_URL" in caught.value.hint
    assert "PGMIGRATIONS_EMBEDDED=1" in caught.value.hint
    assert "pgmigrations embedded start" in caught.value.hint
    assert list(project.iterdir()) == []


def test_container_is_known_by_its_marker_file(project: Path, place: Path) -> None:
    marker = place / "containerenv"
    marker.touch()
    with pytest.raises(RefusedError, match="containerenv exists"):
        embedded_url(project, environ={}, markers=(place / "absent", marker))


def test_request_by_variable_is_granted_anywhere(project: Path) -> None:
    assert database_of(url_of(project, {"CI": "true", "PGMIGRATIONS_EMBEDDED": "1"})) == "app"


def test_server_that_runs_already_is_used_anywhere(project: Path) -> None:
    project_server(project, {}).start()
    assert database_of(url_of(project, {"CI": "true", "AWS_LAMBDA_FUNCTION_NAME": "x"})) == "app"
    find_server(project).stop()
    with pytest.raises(RefusedError):
        url_of(project, {"CI": "true"})


@pytest.mark.parametrize("value", ["", "false", "0"])
def test_ci_that_says_no_is_no_ci(project: Path, value: str) -> None:
    assert database_of(url_of(project, {"CI": value})) == "app"


def test_switched_off_is_refused_even_when_running(project: Path) -> None:
    project_server(project, {}).start()
    with pytest.raises(RefusedError, match="PGMIGRATIONS_EMBEDDED=0"):
        url_of(project, {"PGMIGRATIONS_EMBEDDED": "0"})


def test_unclear_variable_is_an_error(project: Path) -> None:
    with pytest.raises(EmbeddedError, match="PGMIGRATIONS_EMBEDDED is 'maybe'"):
        url_of(project, {"PGMIGRATIONS_EMBEDDED": "maybe"})


@needs_root
def test_project_in_a_closed_home_keeps_its_data_elsewhere(
    closed_project: Path, place: Path
) -> None:
    elsewhere = place / "elsewhere"
    url = url_of(closed_project, elsewhere=elsewhere)
    assert database_of(url) == "app"
    server = find_server(closed_project)
    assert server.status().running
    assert server.data.parent == elsewhere
    assert str(server.data) in (closed_project / ".pgdata" / "location").read_text()
    assert is_private(closed_project.parent)
    server.stop()
    assert url_of(closed_project, elsewhere=elsewhere) == url
    assert find_server(closed_project).data == server.data


@needs_root
def test_removing_pgdata_starts_anew_and_ends_the_old_server(
    closed_project: Path, place: Path
) -> None:
    elsewhere = place / "elsewhere"
    url_of(closed_project, elsewhere=elsewhere)
    old = find_server(closed_project)
    query(old, "CREATE TABLE mark ()", database="app")
    shutil.rmtree(closed_project / ".pgdata")
    url_of(closed_project, elsewhere=elsewhere)
    new = find_server(closed_project)
    assert new.data != old.data
    assert not old.status().running
    assert query(new, "SELECT to_regclass('mark') IS NULL", database="app") == [(True,)]


@needs_root
def test_copied_project_gets_data_of_its_own_and_a_moved_one_keeps_it(
    closed_project: Path, place: Path
) -> None:
    elsewhere = place / "elsewhere"
    url_of(closed_project, elsewhere=elsewhere)
    data = find_server(closed_project).data
    copy = closed_project.with_name("copy")
    shutil.copytree(closed_project, copy)
    url_of(copy, elsewhere=elsewhere)
    assert find_server(copy).data != data
    moved = closed_project.rename(closed_project.with_name("moved"))
    url_of(moved, elsewhere=elsewhere)
    assert find_server(moved).data == data


def test_ordinary_user_needs_nothing_but_the_binaries(
    ordinary_user: OrdinaryUser, place: Path
) -> None:
    home = ordinary_user.folder(place)
    script = f"""
import os, pathlib, subprocess
from pgmigrations.embedded import EmbeddedServer, PostgresTree
tree = PostgresTree.at(pathlib.Path({str(ordinary_user.tree)!r}))
with EmbeddedServer(pathlib.Path({str(home)!r}) / "my 'data", tree=tree) as server:
    server.start()
    status = server.status()
    assert (server.data / "cluster").stat().st_uid == os.geteuid() != 0
    print(subprocess.run(
        [tree.bin / "psql", server.url(driver=None), "-XAtc",
         'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION vector; SELECT uuid_nil()'],
        check=True, text=True, capture_output=True).stdout)
assert not server.status().running
assert not status.socket_dir.exists()
"""
    answer = ordinary_user.run(script)
    assert answer.returncode == 0, answer.stderr
    assert "00000000-0000-0000-0000-000000000000" in answer.stdout
    assert answer.stderr == ""


@needs_root
def test_ordinary_user_is_told_that_the_data_is_roots(
    ordinary_user: OrdinaryUser, project: Path
) -> None:
    project_server(project, {}).start()
    answer = ordinary_user.run(
        "import pathlib\n"
        "from pgmigrations.embedded import embedded_url, EmbeddedError\n"
        f"try: embedded_url(pathlib.Path({str(project)!r}), environ={{}}, markers=())\n"
        "except EmbeddedError as error: print(error)\n"
    )
    assert "belongs to the user root" in answer.stdout, answer.stderr
    assert "DATABASE_URL" in answer.stdout
