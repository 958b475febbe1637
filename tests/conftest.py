"""Fixtures and markers that every test may use: a server per session, a database per test.

Which server: `--server`, else PGMIGRATIONS_TEST_URL, else PGMIGRATIONS_TEST_SERVER, else
`embedded`.
"""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

import pgmigrations
from pgmigrations.errors import PgMigrationsError
from tests.support.database import Databases
from tests.support.own_server import OwnServers, servers_like
from tests.support.server import ServerAddress, SessionServer

SERVER = pytest.StashKey[SessionServer]()
DATABASES = pytest.StashKey[Databases]()
WORKER_INPUT = "pgmigrations_server"

DatabaseFrom = Callable[[str, Callable[[str], None]], str]

# A developer's own database must be out of the tests' reach.
FOREIGN_VARIABLES = (
    "DATABASE_URL",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGUSER",
)


class WorkerNode(Protocol):
    """What pytest-xdist, which has no types, tells of a worker that it is about to start."""

    config: pytest.Config
    workerinput: dict[str, Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        help="PostgreSQL to test on: embedded (default), debian, wheel16, a folder with bin/, "
        "or the URL of a running server",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs_extension(*names): skip where the server lacks one of the extensions"
    )
    config.addinivalue_line(
        "markers", "needs_server(min, max): skip outside these major versions, both included"
    )
    for name in FOREIGN_VARIABLES:
        os.environ.pop(name, None)
    # What tests make the server understand is nothing to keep.
    cache = tempfile.mkdtemp(prefix="pgmigrations-cache-")
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
    os.environ["XDG_CACHE_HOME"] = cache
    told = getattr(config, "workerinput", {}).get(WORKER_INPUT)
    if not told:
        # Else each of some hundred processes does it, where the environment lets none keep it.
        compileall.compile_dir(Path(pgmigrations.__file__).parent, quiet=2)
    server = SessionServer.joined(ServerAddress.from_input(told)) if told else _chosen(config)
    config.stash[SERVER] = server
    if not told:
        # So that a session that `timeout` or a runner ends is as tidy as one after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerNode) -> None:
    """Start the server in the controller, which outlives every worker."""
    node.workerinput[WORKER_INPUT] = _address(node.config).as_input()


def pytest_report_header(config: pytest.Config) -> str:
    return f"server: {config.stash[SERVER].label}"


def pytest_unconfigure(config: pytest.Config) -> None:
    with ExitStack() as ending:
        server = config.stash.get(SERVER, None)
        if server is not None and not hasattr(config, "workerinput"):
            ending.callback(server.stop)
            if server.started and server.given:
                databases = Databases(server.address)
                ending.callback(databases.close)
                ending.callback(databases.drop_all)
        if DATABASES in config.stash:
            ending.callback(config.stash[DATABASES].close)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs_extension"):
        missing = sorted(set(marker.args) - _databases(item.config).extensions)
        if missing:
            pytest.skip(f"no extension {', '.join(missing)} that this role may create there")
    for marker in item.iter_markers("needs_server"):
        major = _databases(item.config).version // 10000
        low, high = marker.kwargs.get("min", 0), marker.kwargs.get("max", 999)
        if not low <= major <= high:
            wanted = f"{low or 'any'} to {high if high < 999 else 'any'}"
            pytest.skip(f"the server is PostgreSQL {major}, the test needs {wanted}")


def _choice(config: pytest.Config) -> str:
    option: str | None = config.getoption("--server")
    return (
        option
        or os.environ.get("PGMIGRATIONS_TEST_URL")
        or os.environ.get("PGMIGRATIONS_TEST_SERVER")
        or "embedded"
    )


def _chosen(config: pytest.Config) -> SessionServer:
    choice = _choice(config)
    return SessionServer(url=choice) if "://" in choice else SessionServer(choice)


def _address(config: pytest.Config) -> ServerAddress:
    try:
        return config.stash[SERVER].address
    except (LookupError, PgMigrationsError) as error:
        # Without a server hundreds of tests would repeat this one message.
        pytest.exit(f"there is no server to test on: {error}", returncode=4)


def _databases(config: pytest.Config) -> Databases:
    if DATABASES not in config.stash:
        config.stash[DATABASES] = Databases(_address(config))
    return config.stash[DATABASES]


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases on the session's server; most tests want `database_url` instead."""
    return _databases(request.config)


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """The URL of the server's maintenance database, as a superuser."""
    return _address(request.config).url


@pytest.fixture(scope="session")
def server_version(databases: Databases) -> int:
    """`server_version_num` of the session's server, such as 180006."""
    return databases.version


@pytest.fixture(scope="session")
def tcp_server(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Host and port of the session's server where it asks for passwords."""
    found = _address(request.config).tcp
    if found is None:
        pytest.skip("the server was given by URL; whether it asks for passwords is not known")
    return found


@pytest.fixture(scope="session")
def own_servers(request: pytest.FixtureRequest) -> OwnServers:
    """Make servers of the session's sort, each with one empty database."""
    return servers_like(_choice(request.config))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of an empty database that this test has for itself."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def database_from(databases: Databases) -> Iterator[DatabaseFrom]:
    """Make a database for this test from a template that is built once per session.

    Example:
        >>> url = database_from("reference schema", create_reference_schema)
    """
    with ExitStack() as made:
        yield lambda key, build: made.enter_context(databases.fresh(databases.template(key, build)))
