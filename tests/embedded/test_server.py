from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.embedded import (
    EmbeddedError,
    EmbeddedServer,
    NotRunningError,
    PostgresTree,
)
from tests.embedded.conftest import (
    is_private,
    pid_of,
    query,
    shared_memory_of,
)

DEBIAN_15 = Path("/usr/lib/postgresql/15")


def test_new_folder_becomes_a_server_and_stop_leaves_nothing(place: Path) -> None:
    server = EmbeddedServer(place / "data", throwaway=True)
    assert not server.status().running
    assert not (place / "data").exists()
    server.start()
    status = server.status()
    assert status.running
    assert status.version == server.tree.version
    assert status.socket_dir is not None
    assert is_private(status.socket_dir)
    assert query(server, "SELECT current_user") == [("postgres",)]
    pid = pid_of(server)
    assert shared_memory_of(pid) or not Path("/proc/sysvipc/shm").exists()
    server.stop()
    assert not server.status().running
    assert not Path(f"/proc/{pid}").exists()
    assert not status.socket_dir.exists()
    assert not shared_memory_of(pid)
    assert not (server.data / "cluster" / "postmaster.pid").exists()


def test_stop_twice_and_stop_of_nothing_are_fine(server: EmbeddedServer, place: Path) -> None:
    server.start()
    server.stop()
    server.stop()
    EmbeddedServer(place / "never").stop()
    assert not (place / "never").exists()


def test_start_again_uses_the_live_server(server: EmbeddedServer) -> None:
    server.start()
    pid = pid_of(server)
    server.start()
    other = EmbeddedServer(server.data)
    other.start()
    assert pid_of(other) == pid
    other.stop()
    assert not server.status().running
    assert not Path(f"/proc/{pid}").exists()


def test_data_and_url_survive_a_restart(server: EmbeddedServer) -> None:
    server.start()
    server.create_database("app")
    url = server.url("app")
    query(server, "CREATE TABLE kept AS SELECT 1 AS x", database="app")
    server.stop()
    server.start()
    assert server.url("app") == url
    assert query(server, "SELECT x FROM kept", database="app") == [(1,)]


def test_context_manager_stops_after_an_error(server: EmbeddedServer) -> None:
    with pytest.raises(psycopg2.errors.DivisionByZero), server:
        query(server, "SELECT 1 / 0")
    assert not server.status().running


def test_url_of_a_stopped_server_is_an_error(server: EmbeddedServer) -> None:
    with pytest.raises(NotRunningError, match="embedded start"):
        server.url()


def test_throwaway_settings_trade_durability_for_speed(shared_server: EmbeddedServer) -> None:
    names = ["fsync", "full_page_writes", "max_connections", "synchronous_commit"]
    assert query(
        shared_server,
        "SELECT setting FROM pg_settings WHERE name = ANY (%s) ORDER BY name",
        names,
    ) == [("off",), ("off",), ("200",), ("off",)]


def test_other_servers_are_durable_and_listen_on_no_network(seed: Path, place: Path) -> None:
    shutil.copytree(seed, place / "data", symlinks=True, dirs_exist_ok=True)
    if os.geteuid() == 0:
        subprocess.run(["cp", "-a", f"{seed}/.", str(place / "data")], check=True)
    with EmbeddedServer(place / "data", settings={"work_mem": "7MB"}) as server:
        names = ["fsync", "full_page_writes", "listen_addresses", "synchronous_commit", "work_mem"]
        rows = query(
            server, "SELECT setting FROM pg_settings WHERE name = ANY (%s) ORDER BY name", names
        )
        assert rows == [("on",), ("on",), ("",), ("on",), ("7168",)]


def test_create_database_takes_any_name_and_may_be_repeated(shared_server: EmbeddedServer) -> None:
    name = "a\"b c%20/ü?&'"
    shared_server.create_database(name)
    shared_server.create_database(name)
    assert query(shared_server, "SELECT current_database()", database=name) == [(name,)]


def test_caller_environment_does_not_reach_the_server(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PGDATA", "/nowhere"), ("PGPORT", "1"), ("LC_ALL", "xx_YY")):
        monkeypatch.setenv(name, value)
    with server:
        assert query(server, "SELECT 1") == [(1,)]


def test_reserved_settings_are_refused(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="unix_socket_directories"):
        EmbeddedServer(place / "data", settings={"Unix_Socket_Directories": "/tmp"})


@pytest.mark.parametrize(
    "name",
    ["with a colon:here", "blank 'single' \"double\" $HOME `x` %20 -D äß" + "long" * 40],
    ids=["colon", "odd and long"],
)
def test_any_path_works(place: Path, name: str) -> None:
    with EmbeddedServer(place / name / name, throwaway=True) as server:
        query(server, 'CREATE EXTENSION "uuid-ossp"')
        query(server, "CREATE EXTENSION vector")
        assert query(server, "SELECT uuid_nil() IS NOT NULL, '[1,2]'::vector::text") == [
            (True, "[1,2]")
        ]
        server.start()


def test_relative_path_and_link_are_the_same_folder(
    server: EmbeddedServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    (place / "link").symlink_to(server.data)
    monkeypatch.chdir(place)
    assert EmbeddedServer(Path("link")).status().pid == pid_of(server)


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="no PostgreSQL 15 of Debian is installed")
def test_distribution_packages_serve_as_a_tree(place: Path) -> None:
    tree = PostgresTree.at(DEBIAN_15)
    assert tree.version[0] == 15
    with EmbeddedServer(place / "data", tree=tree, throwaway=True) as server:
        query(server, 'CREATE EXTENSION "uuid-ossp"')
        assert server.status().version == tree.version
