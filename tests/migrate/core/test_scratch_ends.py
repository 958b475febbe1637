"""The scratch database is gone however a run ends; what a killed one leaves, the next one drops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.embedded import EmbeddedServer
from pgmigrations.migrate.core.scratch import scratch_database
from pgmigrations.run import interruption
from tests.support.database import Databases
from tests.support.project import REPOSITORY, Project

SLOW_MODELS = """
from sqlalchemy import Column, DDL, Integer, MetaData, Table, event

metadata = MetaData()
Table("one", metadata, Column("id", Integer, primary_key=True))
event.listen(metadata, "after_create", DDL("SELECT pg_sleep(600)"))
"""
PATIENCE = 60.0
"""Seconds, a tenth of what the statements would take by themselves."""


@pytest.fixture
def target(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


@contextmanager
def slow_on(url: str, scratch_url: str = "") -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """A process that works in a scratch database, its name, and the server's data folder."""
    arguments = ["-m", "tests.migrate.core.slow_scratch", url, scratch_url]
    with running(arguments, REPOSITORY) as process:
        assert process.stdout is not None
        name, folder = (process.stdout.readline().strip() for _ in range(2))
        yield process, name, Path(folder)


@contextmanager
def slow(url: str, scratch_url: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that works in a scratch database, and the database's name."""
    with slow_on(url, scratch_url) as (process, name, _):
        yield process, name


@contextmanager
def running(arguments: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def scratches(connection: Connection) -> set[str]:
    """Name the scratch databases of this test's target."""
    query = (
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'pgm_scratch_' ||"
        " (SELECT oid FROM pg_database WHERE datname = current_database()) || '_')"
    )
    found = set(connection.execute(text(query)).scalars())
    connection.rollback()
    return found


def is_there(connection: Connection, name: str) -> bool:
    found = connection.execute(
        text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": name}
    ).scalar_one()
    connection.rollback()
    return bool(found)


def is_owned(connection: Connection, name: str) -> bool:
    found = connection.execute(
        text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND"
            " (classid::bigint << 32 | objid::bigint) = hashtextextended(:name, 0)"
        ),
        {"name": name},
    ).scalar_one()
    connection.rollback()
    return bool(found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_long_statement_and_nothing_is_left(
    number: signal.Signals, target: Connection, database_url: str
) -> None:
    with slow(database_url) as (process, name):
        assert scratches(target) == {name}
        process.send_signal(number)
        process.wait(PATIENCE)
        assert process.returncode == (-signal.SIGINT if number == signal.SIGINT else 128 + number)
    assert scratches(target) == set()


@pytest.mark.parametrize("command", ["revision", "check"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_leaves_nothing(
    number: signal.Signals, command: str, target: Connection, tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url).models(SLOW_MODELS)
    more = ["--autogenerate", "-m", "slow"] if command == "revision" else []
    with running(["-m", "alembic", command, *more], project.path) as process:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND query ~ :q")

        def sleeps() -> bool:
            sleeping = [
                target.execute(query, {"name": name, "q": "pg_sleep"}).scalar_one()
                for name in scratches(target)
            ]
            target.rollback()
            return sleeping == [1]

        until(sleeps, "the command does not get so far")
        process.send_signal(number)
        process.wait(PATIENCE)
        assert process.returncode != 0
    assert scratches(target) == set()
    assert project.revisions() == []


def test_the_next_run_drops_what_a_killed_one_has_left_for_whatever_target(
    databases: Databases, target: Connection, database_url: str
) -> None:
    with (
        slow(database_url) as (process, name),
        databases.fresh() as other_url,
        create_engine(other_url, poolclass=NullPool).connect() as other,
    ):
        with scratch_database(other):
            assert is_there(target, name), "it was dropped while its owner was alive"
        process.kill()
        process.wait()
        until(lambda: not is_owned(target, name), "the lock outlives its owner")
        assert is_there(target, name)
        with scratch_database(other):
            assert not is_there(target, name)


def test_targets_of_two_servers_share_a_scratch_server(
    target: Connection, database_url: str, server_url: str
) -> None:
    """The keepers are connected to different databases of the server, and see each other."""
    with slow(database_url, server_url) as (process, name), scratch_database(target):
        assert is_there(target, name)
        process.kill()
        process.wait()
        until(lambda: not is_owned(target, name), "the lock outlives its owner")
        with scratch_database(target, server_url):
            assert not is_there(target, name)


def test_what_another_role_has_left_is_no_hindrance(
    databases: Databases, target: Connection, database_url: str
) -> None:
    role = f"maker_{os.getpid()}_{make_url(database_url).database}"
    abandoned = f"pgm_scratch_1_1_{os.getpid()}_others"
    admin = databases.connection
    admin.exec_driver_sql(f'CREATE ROLE "{role}" LOGIN CREATEDB')
    admin.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": abandoned})
    try:
        admin.exec_driver_sql(f'CREATE DATABASE "{abandoned}"')
        admin.execute(
            text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), {"name": abandoned}
        )
        url = make_url(database_url).set(username=role)
        with (
            create_engine(url, poolclass=NullPool).connect() as weak,
            scratch_database(weak) as scratch,
        ):
            assert scratch.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        admin.exec_driver_sql(f'DROP DATABASE IF EXISTS "{abandoned}"')
        admin.exec_driver_sql(f'DROP ROLE "{role}"')


def test_the_owner_holds_back_neither_vacuum_nor_timeouts(
    target: Connection, database_url: str
) -> None:
    target.execute(text("SET idle_in_transaction_session_timeout = 100"))
    target.commit()
    with slow(database_url) as (_, name):
        held = target.execute(
            text(
                "SELECT a.backend_xmin IS NULL AND a.backend_xid IS NULL"
                " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE l.locktype = 'advisory' AND a.state = 'idle in transaction' AND"
                " (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(:name, 0)"
            ),
            {"name": name},
        ).scalar_one()
        target.rollback()
    assert held is True


def test_handlers_are_as_before(target: Connection) -> None:
    before = [signal.getsignal(number) for number in interruption.ENDING]
    with scratch_database(target):
        pass
    with pytest.raises(KeyboardInterrupt), scratch_database(target):
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in interruption.ENDING] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert scratches(target) == set()


def test_a_handler_of_the_process_is_left_alone(target: Connection) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with scratch_database(target) as scratch:
            signal.raise_signal(signal.SIGTERM)
            assert scratch.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_a_signal_during_the_drop_waits_for_its_end() -> None:
    done = []

    def drop() -> None:
        with interruption.undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("dropped")

    with pytest.raises(KeyboardInterrupt):
        drop()
    assert done == ["dropped"]


def test_another_thread_works_without_handlers(database_url: str) -> None:
    found: list[int] = []

    def work() -> None:
        with (
            create_engine(database_url, poolclass=NullPool).connect() as target,
            scratch_database(target) as scratch,
        ):
            found.append(scratch.execute(text("SELECT 1")).scalar_one())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [1]


def test_a_lost_connection_leaves_no_database(databases: Databases, target: Connection) -> None:
    """The drop takes a connection of its own where the keeper's is gone."""
    ending = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def work() -> None:
        with scratch_database(target) as scratch:
            assert target.execute(ending).scalar_one() == 2
            target.rollback()
            scratch.execute(text("SELECT no_such_function()"))

    with pytest.raises(DBAPIError, match="no_such_function"):
        work()
    assert scratches(target) == set()


@pytest.mark.needs_server(min=18, max=18)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_of_our_own_ends_with_the_run(number: signal.Signals, database_url: str) -> None:
    with slow_on(database_url, "embedded") as (process, _, cluster):
        assert EmbeddedServer(cluster.parent).status().running
        process.send_signal(number)
        process.wait(PATIENCE)
        assert not cluster.parent.exists()
        assert not owner_of(cluster).exists()


@pytest.mark.needs_server(min=18, max=18)
def test_a_server_of_a_killed_run_is_ended_by_the_next_one(
    target: Connection, database_url: str
) -> None:
    with slow_on(database_url, "embedded") as (process, _, cluster):
        with scratch_database(target, "embedded"):
            assert EmbeddedServer(cluster.parent).status().running
        process.kill()
        process.wait()
        assert EmbeddedServer(cluster.parent).status().running
        with scratch_database(target, "embedded"):
            assert not cluster.parent.exists()
            assert not owner_of(cluster).exists()


def owner_of(cluster: Path) -> Path:
    return cluster.parent.with_suffix(".owner")
