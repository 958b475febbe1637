from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.embedded import (
    DataFolderError,
    EmbeddedError,
    EmbeddedServer,
    NotRunningError,
    PostgresTree,
    StartError,
    postmaster,
)
from pgmigrations.embedded.postmaster import titled_processes
from tests.embedded.conftest import is_private, query

DEBIAN_15 = Path("/usr/lib/postgresql/15")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


def pid_of(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def start_script(data: Path, after: str = "") -> list[str]:
    script = (
        "import sys, pathlib\n"
        "from pgmigrations.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(pathlib.Path(sys.argv[1]), throwaway=True)\n"
        "server.start()\n"
        "print(server.status().pid, flush=True)\n" + after
    )
    return [sys.executable, "-W", "error", "-c", script, str(data)]


def is_busy(server: EmbeddedServer, backend: int) -> bool:
    text = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %s"
    return bool(query(server, text, backend) == [(True,)])


def shared_memory_of(pid: int) -> list[str]:
    table = Path("/proc/sysvipc/shm")
    if not table.exists():
        return []
    return [line for line in table.read_text().splitlines()[1:] if str(pid) in line.split()[4:6]]


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


def test_tcp_needs_a_password_and_the_superuser_has_none(place: Path, seed: Path) -> None:
    subprocess.run(["cp", "-a", str(seed), str(place / "data")], check=True)
    with EmbeddedServer(place / "data", settings={"listen_addresses": "127.0.0.1"}) as server:
        query(server, "CREATE ROLE visitor LOGIN PASSWORD 'open sesame'")
        port = server.status().port

        def login(user: str, password: str) -> None:
            psycopg2.connect(
                host="127.0.0.1", port=port, user=user, password=password, dbname="postgres"
            ).close()

        login("visitor", "open sesame")
        for user, password in (("visitor", "wrong"), ("postgres", ""), ("postgres", "postgres")):
            with pytest.raises(psycopg2.OperationalError):
                login(user, password)


def test_reserved_settings_are_refused(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="unix_socket_directories"):
        EmbeddedServer(place / "data", settings={"Unix_Socket_Directories": "/tmp"})


def test_failed_start_shows_the_log_and_leaves_nothing(server: EmbeddedServer) -> None:
    broken = EmbeddedServer(server.data, settings={"work_mem": "a lot"})
    before = {path.name for path in Path("/tmp").glob("pgmigrations-*")}
    with pytest.raises(StartError, match="work_mem"):
        broken.start()
    assert not broken.status().running
    assert {path.name for path in Path("/tmp").glob("pgmigrations-*")} <= before
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_start_that_takes_too_long_is_ended(server: EmbeddedServer) -> None:
    with pytest.raises(StartError, match="not ready after 0 s"):
        EmbeddedServer(server.data, start_timeout=0.0).start()
    assert not server.status().running
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_initdb_that_takes_too_long_is_ended_and_done_again(place: Path) -> None:
    with pytest.raises(StartError, match="initdb"):
        EmbeddedServer(place / "data", start_timeout=0.01).start()
    with EmbeddedServer(place / "data", throwaway=True) as server:
        assert query(server, "SELECT 1") == [(1,)]


def test_server_outlives_a_killed_starter_and_is_used_again(server: EmbeddedServer) -> None:
    starter = subprocess.Popen(
        start_script(server.data, "import signal; signal.pause()"), stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    assert server.status().running
    server.start()
    assert pid_of(server) == pid
    assert query(server, "SELECT 1") == [(1,)]


def test_starter_killed_during_initdb_does_no_harm(place: Path) -> None:
    data = place / "data"
    starter = subprocess.Popen(start_script(data), stdout=subprocess.DEVNULL)
    wait_for(lambda: (data / "cluster.new" / "base").exists())
    starter.kill()
    starter.wait()
    assert not (data / "cluster").exists()
    with EmbeddedServer(data, throwaway=True) as server:
        assert query(server, "SELECT 1") == [(1,)]
        assert not (data / "cluster.new").exists()


def test_starter_killed_while_the_server_comes_up_does_no_harm(server: EmbeddedServer) -> None:
    starter = subprocess.Popen(start_script(server.data), stdout=subprocess.DEVNULL)
    wait_for(lambda: (server.data / "cluster" / "postmaster.pid").exists())
    starter.kill()
    starter.wait()
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_killed_server_is_recovered_even_with_a_busy_session(server: EmbeddedServer) -> None:
    server.start()
    busy = psycopg2.connect(server.url(driver=None), async_=True)
    wait_for(lambda: busy.poll() == psycopg2.extensions.POLL_OK)
    backend = busy.info.backend_pid
    busy.cursor().execute("SELECT count(*) FROM generate_series(1, 100000000000)")
    wait_for(lambda: is_busy(server, backend))
    old = pid_of(server)
    os.kill(old, signal.SIGKILL)
    server.start()
    assert pid_of(server) != old
    wait_for(lambda: not Path(f"/proc/{backend}").exists())
    assert query(server, "SELECT 1") == [(1,)]
    busy.close()


def test_stop_after_the_server_was_killed(server: EmbeddedServer) -> None:
    server.start()
    folder = server.status().socket_dir
    assert folder is not None
    os.kill(pid_of(server), signal.SIGKILL)
    server.stop()
    assert not folder.exists()
    assert not titled_processes(f"postgres: {folder.name.rsplit('-', 1)[0]}: ", os.geteuid())


def test_stale_file_with_the_id_of_another_process(server: EmbeddedServer) -> None:
    server.start()
    file = server.data / "cluster" / "postmaster.pid"
    lines = file.read_text().split("\n")
    os.kill(pid_of(server), signal.SIGKILL)
    owner = file.stat()
    other = subprocess.Popen(
        ["sleep", "60"],
        user=owner.st_uid if os.geteuid() == 0 else None,
        group=owner.st_gid if os.geteuid() == 0 else None,
    )
    try:
        file.write_text("\n".join([str(other.pid), *lines[1:]]))
        assert not server.status().running
        server.start()
        assert query(server, "SELECT 1") == [(1,)]
        server.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stale_file_with_the_id_of_another_server(
    server: EmbeddedServer, shared_server: EmbeddedServer
) -> None:
    other = pid_of(shared_server)
    file = server.data / "cluster" / "postmaster.pid"
    text = (shared_server.data / "cluster" / "postmaster.pid").read_text()
    file.write_text(text)
    if os.geteuid() == 0:
        info = file.parent.stat()
        os.chown(file, info.st_uid, info.st_gid)
    assert not server.status().running
    server.stop()
    server.start()
    assert pid_of(server) != other
    assert query(shared_server, "SELECT 1") == [(1,)]


def test_five_processes_at_once_share_one_server(place: Path) -> None:
    data = place / "data"
    starters = [
        subprocess.Popen(
            start_script(data, "server.create_database('app'); print(server.url('app'))\n"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    answers = [(starter.communicate(timeout=60), starter.returncode) for starter in starters]
    assert [code for _, code in answers] == [0] * 5, answers
    assert len({out for (out, _), _ in answers}) == 1
    server = EmbeddedServer(data)
    assert query(server, "SELECT current_database()", database="app") == [("app",)]


def test_start_and_stop_at_once_end_in_a_state_that_works(server: EmbeddedServer) -> None:
    stopper = start_script(server.data, "server.stop()\n")
    runs = [subprocess.Popen(stopper, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [run.wait(60) for run in runs] == [0] * 4
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_session_that_does_not_end_is_ended_by_an_immediate_shutdown(
    server: EmbeddedServer,
) -> None:
    server.start()
    connection = psycopg2.connect(server.url(driver=None))
    os.kill(connection.info.backend_pid, signal.SIGSTOP)
    pid = pid_of(server)
    EmbeddedServer(server.data, stop_timeout=0.2).stop()
    assert not Path(f"/proc/{pid}").exists()
    connection.close()


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


def test_path_with_a_line_break_is_refused(place: Path) -> None:
    with pytest.raises(DataFolderError, match="control character"):
        EmbeddedServer(place / "two\nlines").start()


def test_relative_path_and_link_are_the_same_folder(
    server: EmbeddedServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    (place / "link").symlink_to(server.data)
    monkeypatch.chdir(place)
    assert EmbeddedServer(Path("link")).status().pid == pid_of(server)


def test_server_that_lost_its_socket_is_started_anew(server: EmbeddedServer) -> None:
    server.start()
    folder = server.status().socket_dir
    assert folder is not None
    shutil.rmtree(folder)
    assert not server.status().running
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_server_that_does_not_answer_is_never_ended(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    pid = pid_of(server)
    monkeypatch.setattr(postmaster, "ANSWER_TIMEOUT", 0.1)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert not server.status().running
        with pytest.raises(StartError, match="takes no connections"):
            EmbeddedServer(server.data, start_timeout=2.5).start()
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    server.start()
    assert pid_of(server) == pid


def test_folder_with_other_files_is_refused_and_untouched(place: Path) -> None:
    (place / "notes").mkdir()
    (place / "notes" / "diary.txt").write_text("mine")
    server = EmbeddedServer(place / "notes")
    for action in (server.start, server.stop, server.status):
        with pytest.raises(DataFolderError, match="did not make"):
            action()
    assert [path.name for path in (place / "notes").iterdir()] == ["diary.txt"]


def test_plain_postgresql_data_folder_is_refused(server: EmbeddedServer) -> None:
    cluster = server.data / "cluster"
    plain = server.data.parent / "plain"
    plain.mkdir()
    (plain / "PG_VERSION").write_text((cluster / "PG_VERSION").read_text())
    with pytest.raises(DataFolderError, match="another server"):
        EmbeddedServer(plain).start()


def test_file_in_place_of_the_folder_is_refused(place: Path) -> None:
    (place / "data").write_text("")
    with pytest.raises(DataFolderError, match="cannot be"):
        EmbeddedServer(place / "data").start()


def test_data_of_another_major_version_is_refused(server: EmbeddedServer) -> None:
    (server.data / "cluster" / "PG_VERSION").write_text("15\n")
    with pytest.raises(DataFolderError, match="was made by PostgreSQL 15, but") as caught:
        server.start()
    assert "DATABASE_URL" in caught.value.hint


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="no PostgreSQL 15 of Debian is installed")
def test_distribution_packages_serve_as_a_tree(place: Path) -> None:
    tree = PostgresTree.at(DEBIAN_15)
    assert tree.version[0] == 15
    with EmbeddedServer(place / "data", tree=tree, throwaway=True) as server:
        query(server, 'CREATE EXTENSION "uuid-ossp"')
        assert server.status().version == tree.version


@needs_root
def test_other_user_cannot_log_in(shared_server: EmbeddedServer) -> None:
    status = shared_server.status()
    script = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setgid(12345); os.setuid(12345)\n"
        "try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError: print('refused')\n"
    )
    path = f"{status.socket_dir}/.s.PGSQL.{status.port}"
    answer = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "refused\n"


@needs_root
def test_socket_folder_of_somebody_else_is_not_used(server: EmbeddedServer) -> None:
    server.start()
    usual = server.status().socket_dir
    assert usual is not None
    server.stop()
    usual.mkdir(mode=0o777)
    os.chown(usual, 12345, 12345)
    try:
        server.start()
        other = server.status().socket_dir
        assert other is not None
        assert other != usual
        assert is_private(other)
        os.kill(pid_of(server), signal.SIGKILL)
        server.start()
        assert server.status().socket_dir != other
        assert not other.exists()
        server.stop()
        assert [path for path in Path("/tmp").glob(f"{usual.name}*") if path != usual] == []
        assert usual.exists()
    finally:
        usual.rmdir()


@needs_root
def test_socket_that_another_user_put_in_place_is_not_trusted(server: EmbeddedServer) -> None:
    server.start()
    status = server.status()
    assert status.socket_dir is not None
    shutil.rmtree(status.socket_dir)
    status.socket_dir.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(f"{status.socket_dir}/.s.PGSQL.{status.port}")
        trap.listen()
        os.chown(status.socket_dir, 12345, 12345)
        assert not server.status().running
        with pytest.raises(NotRunningError):
            server.url()
    shutil.rmtree(status.socket_dir)


@needs_root
def test_root_runs_the_server_as_another_account(server: EmbeddedServer) -> None:
    server.start()
    pid = pid_of(server)
    owner = (server.data / "cluster").stat().st_uid
    assert owner != 0
    text = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    assert fields["Uid"].split() == [str(owner)] * 4
    assert fields["Groups"].split() == []


@needs_root
def test_account_comes_from_the_setting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGMIGRATIONS_EMBEDDED_USER", "nobody")
    with EmbeddedServer(place / "data", throwaway=True) as server:
        assert (server.data / "cluster").owner() == "nobody"
    monkeypatch.delenv("PGMIGRATIONS_EMBEDDED_USER")
    with EmbeddedServer(place / "data") as server:
        assert query(server, "SELECT 1") == [(1,)]


@needs_root
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_account_that_cannot_serve_is_an_error(place: Path, name: str) -> None:
    with pytest.raises(EmbeddedError, match=name):
        EmbeddedServer(place / "data", user=name).start()


@needs_root
def test_modes_of_parent_folders_stay_as_they_are(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(DataFolderError, match="cannot pass") as caught:
        EmbeddedServer(closed / "data").start()
    assert str(closed) in caught.value.what
    assert is_private(closed)


def test_copy_of_a_data_folder_leaves_the_original_alone(
    server: EmbeddedServer, place: Path
) -> None:
    server.start()
    subprocess.run(["cp", "-a", str(server.data), str(place / "copy")], check=True)
    copy = EmbeddedServer(place / "copy", throwaway=True)
    assert not copy.status().running
    copy.stop()
    copy.start()
    assert pid_of(copy) != pid_of(server)
    copy.stop()
    assert query(server, "SELECT 1") == [(1,)]


@needs_root
def test_copy_that_lost_its_owner_is_an_error(server: EmbeddedServer, place: Path) -> None:
    subprocess.run(["cp", "-r", str(server.data), str(place / "copy")], check=True)
    with pytest.raises(DataFolderError, match="belongs to the user root"):
        EmbeddedServer(place / "copy").start()


@needs_root
def test_data_of_another_user_is_refused(server: EmbeddedServer) -> None:
    os.chown(server.data, 65534, 65534)
    try:
        with pytest.raises(DataFolderError, match="belongs to the user nobody"):
            server.start()
    finally:
        os.chown(server.data, 0, 0)
