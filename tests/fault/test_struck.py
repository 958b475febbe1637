"""A run that is struck at any statement is mended by running it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.embedded import temporary_server
from pgmigrations.embedded.error import StartError
from tests.fault.course import COURSES, Course
from tests.fault.relay import FaultRelay, Strike, fault_relay
from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import REPOSITORY, Project
from tests.support.server import ServerAddress

EVERY, SAMPLE = slice(None), 17
"""In the daily run every so manieth point is struck at."""


class Driver:
    """Runs a course of a project through the relay, each time in a process of its own."""

    def __init__(self, course: Course, project: Project, relay: FaultRelay) -> None:
        self.course = course
        self.project = project
        self.relay = relay
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.driver"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = 0
        self.started = threading.Event()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def run(self, url: URL) -> int:
        """Run the course, and return its exit code, or the signal that ended it, negative."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.started.clear()
        direct = url.difference_update_query(["host", "port"])
        through = direct.set(host="127.0.0.1", port=self.relay.port)
        through = through.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})
        self.project.on(through.render_as_string(hide_password=False))
        print(
            self.course.command, self.project.path, sep="\t", file=self._process.stdin, flush=True
        )
        self.pid = int(self._process.stdout.readline())
        self.started.set()
        return int(self._process.stdout.readline())

    def prepared(self, databases: Databases) -> str:
        """Name the template that a run begins with."""
        start = self.course.start
        if start == "base":
            return "template0"

        def build(url: str) -> None:
            self.project.on(url).upgrade(start)

        return databases.template(f"{self.course} {self.project.path}", build)

    def state(self, url: str) -> tuple[str, list[Any]]:
        """Return all that is in a database at the end."""
        with create_engine(url, poolclass=NullPool).connect() as connection:
            contents = [
                [tuple(row) for row in connection.execute(text(one))]
                for one in self.course.contents
            ]
        return schema_dump(url), contents

    @property
    def output(self) -> str:
        """What the last run printed."""
        return (self.project.path / "output").read_text()


@contextmanager
def driver_on(databases: Databases, folder: Path, course: str) -> Iterator[Driver]:
    """Drive a course on a server."""
    host, port = _socket(databases.address.url)
    project = Project(folder / "project", databases.address.url, settings={"lock_wait": "30s"})
    COURSES[course].write(project, databases)
    with fault_relay(host, port) as relay:
        made = Driver(COURSES[course], project, relay)
        try:
            yield made
        finally:
            made.close()


def _socket(url: str) -> tuple[str, int]:
    query = make_url(url).query
    host, port = query.get("host"), query.get("port")
    if not isinstance(host, str) or not host.startswith("/") or not isinstance(port, str):
        pytest.skip("the server was given by URL, and its socket is not known")
    return host, int(port)


def clean_run(driver: Driver, databases: Databases) -> tuple[int, tuple[str, list[Any]]]:
    with databases.fresh(driver.prepared(databases)) as url:
        driver.relay.arm(0, lambda _: None, is_after=False)
        assert driver.run(make_url(url)) == 0, driver.output
        return len(driver.relay.statements), driver.state(url)


def strike_all(
    driver: Driver,
    databases: Databases,
    strike: Strike,
    points: slice = EVERY,
    *,
    is_kill: bool = False,
) -> tuple[int, int]:
    """Strike before and after each statement; return how many were struck and how many sent.

    The points are numbered through, before and after; of them a part may be taken.

    A kill must be seen in the exit code; after another strike the run may still succeed.
    """
    sent, wanted = clean_run(driver, databases)
    struck = 0
    for point in range(1, 2 * sent + 1)[points]:
        at, is_after = (point + 1) // 2, point % 2 == 0
        with databases.fresh(driver.prepared(databases)) as url:
            driver.relay.arm(at, strike, is_after=is_after)
            code = driver.run(make_url(url))
            statement = driver.relay.statements[at - 1 : at]
            place = f"{'after' if is_after else 'before'} {at} of {sent}: {statement}"
            struck += driver.relay.struck
            assert not is_kill or code == -signal.SIGKILL, place
            assert "Traceback" not in driver.output, f"{place}\n{driver.output}"
            if code == 0:
                assert driver.state(url) == wanted, f"silent: {place}"
            driver.relay.arm(0, lambda _: None, is_after=False)
            again = driver.run(make_url(url))
            assert again == 0, f"{place}\n{driver.output}"
            assert driver.state(url) == wanted, place
    return struck, sent


def killer(driver: Driver) -> Strike:
    def kill(_: int) -> None:
        assert driver.started.wait(timeout=10)
        os.kill(driver.pid, signal.SIGKILL)
        if not driver.relay.is_after:
            # The statement never reaches the server.
            raise EOFError

    return kill


def terminator(databases: Databases) -> Strike:
    def terminate(pid: int) -> None:
        databases.connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")

    return terminate


@pytest.mark.parametrize(
    "course",
    [
        "upgrade",
        pytest.param("generated", marks=pytest.mark.thorough),
        pytest.param("generated, down", marks=pytest.mark.thorough),
    ],
)
def test_some_points_survive_a_kill(course: str, databases: Databases, tmp_path: Path) -> None:
    with driver_on(databases, tmp_path, course) as driver:
        points = slice(None, None, SAMPLE)
        struck, sent = strike_all(driver, databases, killer(driver), points, is_kill=True)
    assert struck >= 2 * sent // SAMPLE


@pytest.mark.thorough
def test_some_points_survive_the_end_of_their_session(databases: Databases, tmp_path: Path) -> None:
    with driver_on(databases, tmp_path, "upgrade") as driver:
        points = slice(None, None, SAMPLE)
        struck, sent = strike_all(driver, databases, terminator(databases), points)
    assert struck >= 2 * sent // SAMPLE


@pytest.mark.faults
@pytest.mark.parametrize("course", COURSES)
def test_every_point_survives_a_kill(course: str, databases: Databases, tmp_path: Path) -> None:
    with driver_on(databases, tmp_path, course) as driver:
        struck, sent = strike_all(driver, databases, killer(driver), is_kill=True)
    print(f"{course}: killed at {struck} points of {sent} statements")
    assert struck >= 2 * sent


@pytest.mark.faults
@pytest.mark.parametrize("course", COURSES)
def test_every_point_survives_the_end_of_its_session(
    course: str, databases: Databases, tmp_path: Path
) -> None:
    with driver_on(databases, tmp_path, course) as driver:
        struck, sent = strike_all(driver, databases, terminator(databases))
    print(f"{course}: ended at {struck} points of {sent} statements")
    assert struck >= 2 * sent


PARTS = 4
"""A stop takes a second: processes share the points of a course."""


@pytest.mark.faults
@pytest.mark.parametrize(
    ("course", "points"),
    [(course, slice(part, None, PARTS)) for course in COURSES for part in range(PARTS)],
    ids=str,
)
def test_points_survive_a_stop_of_the_server(course: str, points: slice, tmp_path: Path) -> None:
    """In immediate mode, as a crash; it is started again at once."""
    # Else a crash loses what was committed, as the throwaway servers are set.
    settings = {"synchronous_commit": "on"}
    with temporary_server(settings=settings) as server:
        databases = Databases(ServerAddress(server.url("postgres"), None, "stopped"))
        with driver_on(databases, tmp_path, course) as driver:

            def stop(_: int) -> None:
                databases.close()
                postmaster = server.status().pid
                assert postmaster is not None
                os.kill(postmaster, signal.SIGQUIT)
                while server.status().running:
                    time.sleep(0.02)
                try:
                    server.start()
                except StartError:
                    # Its recovery stumbles now and then over a file of a database that was being
                    # dropped (md.c: "could not create file: File exists"), and not again.
                    server.start()
                driver.relay.host, driver.relay.server_port = _socket(server.url())
                databases.address = ServerAddress(server.url("postgres"), None, "stopped")

            struck, sent = strike_all(driver, databases, stop, points)
        print(f"{course}, {points}: stopped at {struck} points of {sent} statements")
        assert struck >= len(range(2 * sent)[points])
        databases.close()
