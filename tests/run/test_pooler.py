"""Behind a real PgBouncer in transaction mode."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.run.pooler import is_pooled
from tests.run.test_runner import PIECES, TABLE, ledger, query, start, write
from tests.support.project import Project

CONFIG = """\
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture
def pooled_url(database_url: str) -> Iterator[str]:
    """The test's database through a pooler."""
    binary = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if binary is None:
        pytest.skip("there is no PgBouncer here")
    url = make_url(database_url)
    host, port = url.query.get("host"), url.query.get("port")
    if not isinstance(host, str) or not host.startswith("/"):
        pytest.skip("the server's socket is not known")
    owner = Path(host).stat().st_uid
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pgmigrations-pooler-") as folder:
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(CONFIG.format(host=host, port=port, listen=listen, folder=folder))
        shutil.chown(folder, owner)
        Path(folder).chmod(0o755)
        pooler = subprocess.Popen(
            [binary, "--quiet", str(config)], user=owner, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(listen)
            through = url.difference_update_query(["host", "port"]).set(
                host="127.0.0.1", port=listen
            )
            yield through.render_as_string(hide_password=False)
        finally:
            pooler.terminate()
            pooler.wait(timeout=10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PgBouncer does not answer")


def test_the_pooler_is_recognised(database_url: str, pooled_url: str) -> None:
    found = []
    for url in (database_url, pooled_url):
        address = make_url(url)
        _, arguments = address.get_dialect()().create_connect_args(address)
        connection = psycopg2.connect(**arguments)
        found.append(is_pooled(connection))
        connection.close()
    assert found == [False, True]


def test_several_runs_at_once_leave_nothing_behind(
    tmp_path: Path, database_url: str, pooled_url: str
) -> None:
    project = Project(tmp_path / "project", pooled_url)
    write(project, "001_table", None, TABLE)
    write(project, "002_pieces", "001_table", PIECES)
    running = [start(project, "upgrade", "head") for _ in range(4)]
    ended = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0] * 4, ended
    assert query(database_url, "SELECT id, n FROM account ORDER BY id")[0] == (1, 3)
    assert [row[:2] for row in ledger(database_url) if row[1] == "applied"] == [
        ("001_table", "applied"),
        ("002_pieces", "applied"),
    ]
    locks = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert query(database_url, locks) == [(0,)]
    assert _settings(pooled_url) == _settings(database_url)


def test_nothing_is_prepared_on_sessions_of_others(
    tmp_path: Path, database_url: str, pooled_url: str
) -> None:
    project = Project(tmp_path / "project", pooled_url)
    names = [f"{number:03}_step" for number in range(1, 6)]
    for parent, name in zip([None, *names], names, strict=False):
        write(project, name, parent, "pass")
    project.upgrade()
    assert query(database_url, "SELECT version_num FROM pgmigrations") == [("005_step",)]
    engine = create_engine(pooled_url, poolclass=NullPool)
    opened = [engine.connect() for _ in range(5)]
    for connection in opened:
        prepared = connection.execute(text("SELECT count(*) FROM pg_prepared_statements"))
        assert prepared.scalar_one() == 0
    for connection in opened:
        connection.close()


def _settings(url: str) -> set[tuple[Any, ...]]:
    """Look at several of the pool's sessions at once."""
    names = "('lock_timeout', 'statement_timeout', 'client_connection_check_interval')"
    engine = create_engine(url, poolclass=NullPool)
    opened = [engine.connect() for _ in range(5)]
    try:
        return {
            tuple(row)
            for connection in opened
            for row in connection.execute(
                text(f"SELECT name, setting FROM pg_settings WHERE name IN {names}")
            )
        }
    finally:
        for connection in opened:
            connection.close()
