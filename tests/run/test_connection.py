"""Connections fail soon, say who they are, and leave what the user has set as it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg2
import pytest
import sqlalchemy

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.run.connection import connect_arguments, open_engine
from pgmigrations.run.failure import ServerUnreachable, explain


def asked(url: DatabaseUrl, question: str) -> object:
    engine = open_engine(url)
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text(question)).scalar_one()


@pytest.fixture
def silent_ports() -> Iterator[list[int]]:
    """Ports that accept connections and never answer."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(6)]
        yield [listener.getsockname()[1] for listener in listeners]


def test_an_engine_connects_and_keeps_no_connection(database_url: str) -> None:
    url = parse_database_url(database_url)
    engine = open_engine(url)
    assert isinstance(engine.pool, sqlalchemy.NullPool)
    assert engine.url.database == url.database
    assert asked(url, "SELECT current_database()") == url.database


def test_the_session_says_who_it_is_in_utf8(database_url: str) -> None:
    url = parse_database_url(database_url)
    assert asked(url, "SHOW application_name") == "pgmigrations"
    latin = DatabaseUrl(tuple((url.libpq | {"client_encoding": "latin1"}).items()))
    assert asked(latin, "SHOW client_encoding") == "UTF8"


def test_the_users_application_name_wins(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse_database_url(database_url)
    monkeypatch.setenv("PGAPPNAME", "from the environment")
    assert asked(url, "SHOW application_name") == "from the environment"
    named = DatabaseUrl(tuple((url.libpq | {"application_name": "from the url"}).items()))
    assert asked(named, "SHOW application_name") == "from the url"


def test_the_arguments_fit_the_driver(database_url: str) -> None:
    url = parse_database_url(database_url)
    with closing(psycopg2.connect(**url.libpq | connect_arguments(url, {}))) as connection:
        assert connection.info.dsn_parameters["connect_timeout"] == "5"
        assert connection.info.dsn_parameters["keepalives_idle"] == "30"


def test_nothing_that_the_user_set_is_overridden() -> None:
    url = parse_database_url("postgresql://h/d?connect_timeout=60&keepalives=0&keepalives_idle=7")
    given = connect_arguments(url, {})
    assert not {"connect_timeout", "keepalives", "keepalives_idle"} & set(given)
    plain = parse_database_url("postgresql://h/d")
    assert "connect_timeout" not in connect_arguments(plain, {"PGCONNECT_TIMEOUT": "60"})


def test_a_server_that_never_answers_fails_within_ten_seconds(silent_ports: list[int]) -> None:
    url = parse_database_url(f"postgresql://u:s3cret@127.0.0.1:{silent_ports[0]}/d")
    started = time.monotonic()
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        open_engine(url).connect()
    assert time.monotonic() - started < 10
    told = explain(caught.value, url=url)
    assert isinstance(told, ServerUnreachable)
    assert "s3cret" not in str(told)


def test_a_live_server_behind_dead_ones_is_reached(
    database_url: str, tcp_server: tuple[str, int], silent_ports: list[int]
) -> None:
    """Three dead addresses at five seconds each would use up the limit before the fourth."""
    host, port = tcp_server
    dead = ",".join(f"127.0.0.1:{silent}" for silent in silent_ports[:3])
    url = parse_database_url(f"postgresql://no_such_role:x@{dead},{host}:{port}/d")
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        open_engine(url).connect()
    assert "no_such_role" in str(caught.value)


def test_a_shorter_timeout_of_the_users_is_kept(silent_ports: list[int]) -> None:
    url = parse_database_url(f"postgresql://u@127.0.0.1:{silent_ports[0]}/d?connect_timeout=2")
    started = time.monotonic()
    with pytest.raises(sqlalchemy.exc.OperationalError, match="timeout expired"):
        open_engine(url).connect()
    assert time.monotonic() - started < 5


def test_many_dead_addresses_hold_neither_the_caller_nor_its_process(
    silent_ports: list[int],
) -> None:
    where = ",".join(f"127.0.0.1:{port}" for port in silent_ports)
    code = (
        "from pgmigrations.database_url import parse_database_url as p\n"
        "from pgmigrations.run.connection import open_engine\n"
        f"open_engine(p('postgresql://u@{where}/d')).connect()\n"
    )
    # Ten seconds for the failure, and some for starting Python on a busy machine.
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert time.monotonic() - started < 15
    assert "timeout expired" in ran.stderr
    assert ran.returncode == 1


def test_naming_the_module_loads_neither_sqlalchemy_nor_a_driver() -> None:
    code = (
        "import sys, pgmigrations.run.connection, pgmigrations.run.failure;"
        "print(sorted({'sqlalchemy', 'alembic', 'psycopg2'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
