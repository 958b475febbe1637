from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.embedded import (
    EmbeddedServer,
    StartError,
    postmaster,
)
from pgmigrations.embedded.data_folder import DataFolder
from pgmigrations.embedded.postmaster import titled_processes
from tests.embedded.conftest import (
    is_busy,
    pid_of,
    query,
    start_script,
    wait_for,
)


def test_failed_start_shows_the_log_and_leaves_nothing(server: EmbeddedServer) -> None:
    broken = EmbeddedServer(server.data, settings={"work_mem": "a lot"})
    name = DataFolder(server.data).cluster_name
    with pytest.raises(StartError, match="work_mem"):
        broken.start()
    assert not broken.status().running
    assert list(Path("/tmp").glob(f"{name}*")) == []
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
    # Busy on the CPU alone, and never for long: it must fill no disk if nobody ends it.
    busy.cursor().execute(
        "DO $$ BEGIN WHILE clock_timestamp() < now() + interval '1 min' LOOP END LOOP; END $$"
    )
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
