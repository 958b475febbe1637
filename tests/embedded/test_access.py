from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.embedded import (
    DataFolderError,
    EmbeddedError,
    EmbeddedServer,
    NotRunningError,
)
from tests.embedded.conftest import (
    OrdinaryUser,
    is_private,
    needs_root,
    pid_of,
    query,
)


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


def test_path_with_a_line_break_is_refused(place: Path) -> None:
    with pytest.raises(DataFolderError, match="control character"):
        EmbeddedServer(place / "two\nlines").start()


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


def answer_as_a_server(trap: socket.socket) -> None:
    while True:
        try:
            client, _ = trap.accept()
        except OSError:
            return
        with client:
            client.recv(8)
            client.sendall(b"N")


@needs_root
def test_socket_that_another_user_put_in_place_is_not_trusted(server: EmbeddedServer) -> None:
    server.start()
    status = server.status()
    assert status.socket_dir is not None
    shutil.rmtree(status.socket_dir)
    status.socket_dir.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(f"{status.socket_dir}/.s.PGSQL.{status.port}")
        trap.listen()
        answering = threading.Thread(target=answer_as_a_server, args=(trap,), daemon=True)
        answering.start()
        owner = (server.data / "cluster").stat()
        os.chown(status.socket_dir, owner.st_uid, owner.st_gid)
        assert server.status().running
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


@needs_root
def test_user_without_a_name_is_told_so(ordinary_user: OrdinaryUser, place: Path) -> None:
    nameless = replace(ordinary_user, uid=54321, gid=54321)
    script = (
        "import pathlib\n"
        "from pgmigrations.embedded import AccountError, EmbeddedServer\n"
        f"try: EmbeddedServer(pathlib.Path({str(nameless.folder(place))!r})).start()\n"
        "except AccountError as error: print(error)\n"
    )
    answer = nameless.run(script)
    assert "user id 54321 has no name" in answer.stdout, answer.stderr
    assert "DATABASE_URL" in answer.stdout
