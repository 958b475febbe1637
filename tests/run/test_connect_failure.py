"""Each failure to connect is made for real, and told in one clear line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.run import failure as kinds
from tests.run.failing import changed, failing, run


def test_wrong_password_names_user_and_place(weak: DatabaseUrl) -> None:
    told = failing(changed(weak, password="s3cret wrong"))
    assert isinstance(told, kinds.WrongPassword)
    assert told.subject == weak.user
    assert f'"{weak.user}" at {weak.host}:{weak.port}' in told.what
    assert "DATABASE_URL" in told.hint


def test_no_password_says_where_to_put_one(weak: DatabaseUrl) -> None:
    told = failing(DatabaseUrl(tuple(p for p in weak.parameters if p[0] != "password")))
    assert isinstance(told, kinds.WrongPassword)
    assert "PGPASSWORD" in told.hint


def test_a_role_that_does_not_exist_is_named(admin: DatabaseUrl) -> None:
    told = failing(changed(admin, user="nobody_here"))
    assert isinstance(told, kinds.WrongPassword)
    assert '"nobody_here"' in told.what


def test_a_role_that_may_not_log_in_is_told_how_to(admin: DatabaseUrl, weak: DatabaseUrl) -> None:
    run(admin, f'ALTER ROLE "{weak.user}" NOLOGIN')
    told = failing(weak)
    assert isinstance(told, kinds.WrongPassword)
    assert told.hint == f'ALTER ROLE "{weak.user}" LOGIN, or use another role'


def test_missing_database_is_named(admin: DatabaseUrl) -> None:
    told = failing(admin.with_database("no such db"))
    assert isinstance(told, kinds.DatabaseMissing)
    assert told.subject == "no such db"
    assert 'CREATE DATABASE "no such db"' in told.hint


def test_a_refusing_port_is_unreachable(weak: DatabaseUrl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = failing(changed(weak, port=str(port)))
    assert isinstance(told, kinds.ServerUnreachable)
    assert f"127.0.0.1:{port}" in told.what


def test_an_unknown_host_name_is_unreachable() -> None:
    told = failing(parse_database_url("postgresql://u@no-such-host.invalid/d"))
    assert isinstance(told, kinds.ServerUnreachable)
    assert "no-such-host.invalid" in told.what


def test_a_missing_socket_is_unreachable(tmp_path: Path) -> None:
    told = failing(DatabaseUrl((("host", str(tmp_path)), ("user", "u"))))
    assert isinstance(told, kinds.ServerUnreachable)
    assert str(tmp_path) in told.what


@pytest.fixture
def rude_port() -> Iterator[int]:
    """A port that accepts connections and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield int(server.getsockname()[1])
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_a_port_that_hangs_up_is_unreachable(rude_port: int) -> None:
    told = failing(parse_database_url(f"postgresql://u@127.0.0.1:{rude_port}/d"))
    assert isinstance(told, kinds.ServerUnreachable)


def test_a_role_with_no_connection_left_is_told(admin: DatabaseUrl, weak: DatabaseUrl) -> None:
    run(admin, f'ALTER ROLE "{weak.user}" CONNECTION LIMIT 0')
    assert isinstance(failing(weak), kinds.TooManyConnections)


def test_tls_that_the_server_does_not_offer_is_a_tls_failure(
    admin: DatabaseUrl, weak: DatabaseUrl
) -> None:
    connection = psycopg2.connect(**admin.libpq)
    with connection.cursor() as cursor:
        cursor.execute("SHOW ssl")
        offered = cursor.fetchone() == ("on",)
    connection.close()
    if offered:
        pytest.skip("the test server offers TLS")
    told = failing(changed(weak, sslmode="require"))
    assert isinstance(told, kinds.TlsFailure)
    assert "sslmode" in told.hint


def test_a_missing_root_certificate_is_a_tls_failure(weak: DatabaseUrl) -> None:
    told = failing(changed(weak, sslmode="verify-full", sslrootcert="/nonexistent/ca.pem"))
    assert isinstance(told, kinds.TlsFailure)


def test_the_right_to_connect_is_told_as_a_grant(admin: DatabaseUrl, weak: DatabaseUrl) -> None:
    run(admin, f'REVOKE CONNECT ON DATABASE "{admin.database}" FROM PUBLIC')
    told = failing(weak)
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.grant == f'GRANT CONNECT ON DATABASE "{admin.database}" TO "{weak.user}"'
    run(admin, told.grant)
    run(weak, "SELECT 1")
