"""The fixtures of conftest.py, judged by what they promise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from tests.conftest import DatabaseFrom
from tests.support.database import Databases
from tests.support.server import (
    ROOT,
    ServerAddress,
    SessionServer,
    data_base,
    is_alive,
    newest_debian_tree,
)


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements in a transaction and give the rows of the last one."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_test_does_not_see_the_tables_of_another(database_url: str, attempt: int) -> None:
    assert execute(
        database_url,
        "CREATE TABLE visitor (id integer)",
        f"INSERT INTO visitor VALUES ({attempt})",
        "SELECT id FROM visitor",
    ) == [(attempt,)]


def test_a_database_is_dropped_with_its_connections(databases: Databases) -> None:
    with databases.fresh() as url:
        engine = create_engine(url)
        connection = engine.connect()
        name = make_url(url).database
    found = databases.connection.exec_driver_sql(
        "SELECT count(*) FROM pg_database WHERE datname = %s", (name,)
    )
    connection.invalidate()
    assert found.scalar_one() == 0


def test_a_template_is_built_once_and_copied_each_time(database_from: DatabaseFrom) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        execute(url, "CREATE TABLE visitor (id integer)")

    key = f"{__name__}{os.getpid()}"
    urls = [database_from(key, build) for _ in range(3)]
    assert len(set(urls)) == 3
    assert len(built) == 1
    execute(urls[0], "INSERT INTO visitor VALUES (1)")
    assert [execute(url, "SELECT count(*) FROM visitor") for url in urls] == [
        [(1,)],
        [(0,)],
        [(0,)],
    ]


def test_a_template_whose_build_failed_is_built_again(database_from: DatabaseFrom) -> None:
    def fail(url: str) -> None:
        execute(url, "CREATE TABLE half (id integer)")
        raise ZeroDivisionError

    def succeed(url: str) -> None:
        execute(url, "CREATE TABLE whole (id integer)")

    key = f"failing {os.getpid()}"
    with pytest.raises(ZeroDivisionError):
        database_from(key, fail)
    url = database_from(key, succeed)
    tables = execute(url, "SELECT relname FROM pg_class WHERE relname IN ('half', 'whole')")
    assert tables == [("whole",)]


def test_the_tcp_server_refuses_a_wrong_password(
    tcp_server: tuple[str, int], databases: Databases
) -> None:
    role = f"tcp_role_{os.getpid()}"
    databases.connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
    host, port = tcp_server
    try:
        psycopg2.connect(
            host=host, port=port, user=role, password="right", dbname="postgres"
        ).close()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(host=host, port=port, user=role, password="wrong", dbname="postgres")
    finally:
        databases.connection.exec_driver_sql(f"DROP ROLE {role}")


def test_the_server_version_is_that_of_the_server(server_url: str, server_version: int) -> None:
    assert execute(server_url, "SHOW server_version_num") == [(str(server_version),)]


@pytest.mark.needs_extension("uuid-ossp", "vector")
def test_an_extension_that_a_test_needs_can_be_created(database_url: str) -> None:
    created = execute(
        database_url,
        'CREATE EXTENSION "uuid-ossp"',
        "CREATE EXTENSION vector",
        "SELECT uuid_nil()::text, '[1,2]'::vector::text",
    )
    assert created == [("00000000-0000-0000-0000-000000000000", "[1,2]")]


def test_an_address_survives_the_way_to_a_worker() -> None:
    address = ServerAddress("postgresql+psycopg2://x@/postgres", ("127.0.0.1", 5432), "run")
    assert ServerAddress.from_input({**address.as_input(), "tcp": ["127.0.0.1", 5432]}) == address


def test_the_newest_debian_server_is_chosen_by_number(tmp_path: Path) -> None:
    for version in ("9.6", "15", "18"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    assert newest_debian_tree(tmp_path).name == "18"
    with pytest.raises(LookupError, match="apt-get install postgresql"):
        newest_debian_tree(tmp_path / "18")


def test_stopping_the_server_leaves_no_process_and_no_data() -> None:
    server = SessionServer()
    folder = Path(str(execute(server.address.url, "SHOW data_directory")[0][0]))
    pid = int((folder / "postmaster.pid").read_text().split()[0])
    assert is_alive(pid)
    server.stop()
    assert not is_alive(pid)
    assert not folder.exists()


PROBE = """
import os, signal
from pathlib import Path
import pytest
from sqlalchemy import create_engine

@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_probe(number, server_url):
    with create_engine(server_url).connect() as connection:
        folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
    pid = (folder / "postmaster.pid").read_text().split()[0]
    with open("report", "a") as report:
        report.write(f"{pid} {folder}\\n")
    while os.environ["PROBE_WAITS"]:
        signal.pause()

@pytest.mark.needs_extension("no_such_extension", "plpgsql")
def test_lacks():
    raise AssertionError

@pytest.mark.needs_server(min=99)
def test_too_old():
    raise AssertionError
"""


class Probe:
    """A pytest session of its own on a small test file, with the fixtures of conftest.py."""

    def __init__(self, folder: Path, *arguments: str, waits: bool = False) -> None:
        (folder / "test_probe.py").write_text(PROBE)
        (folder / "pytest.ini").write_text("[pytest]\n")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        kept.pop("PGMIGRATIONS_TEST_SERVER", None)
        kept.pop("PGMIGRATIONS_TEST_URL", None)
        self._report = folder / "report"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-rs", *arguments],
            cwd=folder,
            env={
                **kept,
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
                "PROBE_WAITS": "yes" if waits else "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own gets SIGINT as a terminal would send it: all of it.
            start_new_session=True,
        )

    def servers(self) -> set[tuple[int, Path]]:
        """Give the process ids and data folders of the servers that the tests saw so far."""
        lines = self._report.read_text().splitlines() if self._report.exists() else []
        return {(int(pid), Path(data)) for pid, data in (line.split(" ", 1) for line in lines)}


def test_the_workers_of_a_session_share_one_server_that_ends_with_it(tmp_path: Path) -> None:
    probe = Probe(tmp_path, "-n", "2")
    output, _ = probe.process.communicate(timeout=60)
    assert "4 passed, 2 skipped" in output, output
    assert "no extension no_such_extension that this role may create" in output
    assert "the test needs 99 to any" in output
    ((pid, data),) = probe.servers()
    assert not is_alive(pid)
    assert not data.exists()


def wait_for_servers(probe: Probe) -> tuple[int, Path]:
    """Wait until the tests of the probe run, and give the one server that they run on."""
    deadline = time.monotonic() + 60
    while not probe.servers():
        assert probe.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ((pid, data),) = probe.servers()
    return pid, data


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_session_without_a_server_ends_with_one_message(tmp_path: Path, workers: str) -> None:
    probe = Probe(tmp_path, "-n", workers, "--server", str(tmp_path))
    output, _ = probe.process.communicate(timeout=60)
    assert probe.process.returncode == 4, output
    assert f"there is no server to test on: no PostgreSQL programs in {tmp_path}" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("workers", "number"), [("0", signal.SIGINT), ("2", signal.SIGINT), ("0", signal.SIGTERM)]
)
def test_an_interrupted_session_leaves_no_server(
    tmp_path: Path, workers: str, number: signal.Signals
) -> None:
    probe = Probe(tmp_path, "-n", workers, waits=True)
    pid, data = wait_for_servers(probe)
    os.killpg(probe.process.pid, number)
    output, _ = probe.process.communicate(timeout=60)
    assert "KeyboardInterrupt" in output, output
    assert not is_alive(pid)
    assert not data.exists()


def test_the_server_of_a_killed_session_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not below tmp_path, which the server's account cannot reach when the tests run as root; and
    # a folder of its own, so that no other session tidies up first.
    with tempfile.TemporaryDirectory(dir=data_base()) as base:
        Path(base).chmod(0o755)
        monkeypatch.setenv("PGMIGRATIONS_TEST_DATA", base)
        probe = Probe(tmp_path, "-n", "0", waits=True)
        pid, data = wait_for_servers(probe)
        os.killpg(probe.process.pid, signal.SIGKILL)
        probe.process.communicate(timeout=60)
        assert is_alive(pid)
        server = SessionServer()
        try:
            assert server.address.url
            assert not is_alive(pid)
            assert not data.exists()
        finally:
            server.stop()
