"""Each failure is made by a real server and told in one clear line."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from urllib.parse import quote

import psycopg2
import pytest

from pgmigrations.database_url import DatabaseUrl
from pgmigrations.run import failure as kinds
from pgmigrations.run.failure import DatabaseFailure, explain
from tests.run.failing import PASSWORD, changed, check_clean, failing, run


def test_an_unavailable_extension_names_it_and_its_package(admin: DatabaseUrl) -> None:
    told = failing(admin, "CREATE EXTENSION no_such_extension", doing="in revision 001_x")
    assert isinstance(told, kinds.ExtensionMissing)
    assert told.subject == "no_such_extension"
    major = _major(admin)
    assert re.search(rf"postgresql-({major}|<major>)-no_such_extension", told.hint)
    assert "in revision 001_x" in told.what


@pytest.mark.parametrize(
    ("extension", "package"), [("vector", "pgvector"), ("postgis", "postgis-3")]
)
def test_an_unavailable_extension_names_the_package_for_the_servers_version(
    admin: DatabaseUrl, extension: str, package: str
) -> None:
    if _available(admin, extension):
        pytest.skip(f"the test server has {extension}")
    with closing(psycopg2.connect(**admin.libpq)) as connection:
        with pytest.raises(psycopg2.Error) as caught:
            connection.cursor().execute(f"CREATE EXTENSION {extension}")
        told = explain(caught.value, url=admin)
    assert f"Install postgresql-{_major(admin)}-{package} on the server" in told.hint
    assert (f"pgvector/pgvector:pg{_major(admin)}" in told.hint) == (extension == "vector")


def _major(url: DatabaseUrl) -> int:
    connection = psycopg2.connect(**url.libpq)
    version = int(connection.server_version) // 10000
    connection.close()
    return version


TABLE = 'CREATE TABLE "odd name"(a int)'
GRANTS = {
    "CREATE TABLE public.t(a int)": 'GRANT CREATE, USAGE ON SCHEMA "public" TO "{user}"',
    'CREATE TABLE "s p".t(a int)': 'GRANT CREATE, USAGE ON SCHEMA "s p" TO "{user}"',
    "CREATE SCHEMA s": 'GRANT CREATE ON DATABASE "{database}" TO "{user}"',
    'SELECT * FROM "odd name"': 'GRANT SELECT ON TABLE "odd name" TO "{user}"',
    'INSERT INTO "odd name" VALUES (1)': 'GRANT INSERT ON TABLE "odd name" TO "{user}"',
    "SELECT nextval('q')": 'GRANT USAGE, SELECT, UPDATE ON SEQUENCE "q" TO "{user}"',
    "CREATE ROLE r_never": 'ALTER ROLE "{user}" CREATEROLE',
    "CREATE DATABASE d_never": 'ALTER ROLE "{user}" CREATEDB',
}


@pytest.mark.parametrize("statement", GRANTS)
def test_the_grant_that_is_told_mends_the_failure(
    admin: DatabaseUrl, weak: DatabaseUrl, statement: str
) -> None:
    run(admin, "REVOKE ALL ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO PUBLIC")
    run(admin, TABLE, 'CREATE SCHEMA "s p"', "CREATE SEQUENCE q")
    told = failing(weak, statement, doing="in revision 002_y")
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.sqlstate == "42501"
    assert told.grant == GRANTS[statement].format(user=weak.user, database=weak.database)
    assert told.grant in str(told)
    if "_never" in statement:
        return
    run(admin, told.grant)
    run(weak, statement)


def _available(url: DatabaseUrl, extension: str) -> bool:
    with closing(psycopg2.connect(**url.libpq)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [extension])
        return cursor.fetchone() is not None


def test_a_trusted_extension_needs_create_on_the_database(
    admin: DatabaseUrl, weak: DatabaseUrl
) -> None:
    if not _available(admin, "pgcrypto"):
        pytest.skip("the test server lacks pgcrypto")
    told = failing(weak, "CREATE EXTENSION pgcrypto")
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.grant == f'GRANT CREATE ON DATABASE "{weak.database}" TO "{weak.user}"'


def test_an_untrusted_extension_needs_a_superuser(admin: DatabaseUrl, weak: DatabaseUrl) -> None:
    if not _available(admin, "pageinspect"):
        pytest.skip("the test server lacks pageinspect")
    told = failing(weak, "CREATE EXTENSION pageinspect")
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.grant == 'CREATE EXTENSION "pageinspect"'
    assert "superuser" in told.hint


def test_an_owner_is_asked_for(admin: DatabaseUrl, weak: DatabaseUrl) -> None:
    run(admin, TABLE)
    told = failing(weak, 'ALTER TABLE "odd name" ADD COLUMN b int')
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.subject == "odd name"
    assert "the owner of table odd name" in told.hint


def test_a_read_only_transaction_is_told(admin: DatabaseUrl) -> None:
    told = failing(admin, "BEGIN READ ONLY", "CREATE TABLE t(a int)")
    assert isinstance(told, kinds.ReadOnlyDatabase)
    assert "CREATE TABLE" in told.what


def test_a_read_only_database_names_the_setting(admin: DatabaseUrl) -> None:
    run(admin, f'ALTER DATABASE "{admin.database}" SET default_transaction_read_only = on')
    assert isinstance(failing(admin, "CREATE TABLE t(a int)"), kinds.ReadOnlyDatabase)
    with closing(psycopg2.connect(**admin.libpq)) as connection:
        with pytest.raises(psycopg2.Error) as caught:
            connection.cursor().execute("CREATE TABLE t(a int)")
        told = explain(caught.value, url=admin)
        # The server reports the setting since version 14.
        why = "read_only is on for" if connection.server_version >= 140000 else "a replica, or"
        assert why in told.what


def test_a_lock_timeout_is_told_with_the_statement(admin: DatabaseUrl) -> None:
    run(admin, "CREATE TABLE t(a int)")
    holder = psycopg2.connect(**admin.libpq)
    holder.cursor().execute("LOCK TABLE t")
    told = failing(admin, "SET lock_timeout = '50ms'", "ALTER TABLE t ADD b int")
    assert isinstance(told, kinds.LockNotAvailable)
    assert "ALTER TABLE t ADD b int" in told.what
    now = failing(admin, "SET lock_timeout = '50ms'", "SELECT a FROM t FOR UPDATE NOWAIT")
    assert isinstance(now, kinds.LockNotAvailable)
    holder.close()


def test_a_statement_timeout_is_told(admin: DatabaseUrl) -> None:
    told = failing(admin, "SET statement_timeout = '50ms'", "SELECT pg_sleep(10)")
    assert isinstance(told, kinds.StatementTimeout)


def test_a_cancelled_statement_is_told(admin: DatabaseUrl) -> None:
    told = failing(admin, "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)")
    assert isinstance(told, kinds.StatementCancelled)


def test_a_session_that_ends_is_lost(admin: DatabaseUrl) -> None:
    told = failing(admin, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)")
    assert isinstance(told, kinds.ServerShuttingDown | kinds.ConnectionLost)
    assert "Run the command again" in told.hint


def test_a_closed_connection_is_lost(admin: DatabaseUrl) -> None:
    connection = psycopg2.connect(**admin.libpq)
    connection.close()
    with pytest.raises(psycopg2.Error) as caught:
        connection.cursor()
    assert isinstance(explain(caught.value), kinds.ConnectionLost)


def test_a_new_enum_value_used_too_early_is_told(admin: DatabaseUrl) -> None:
    run(admin, "CREATE TYPE e AS ENUM ('a')")
    told = failing(admin, "BEGIN", "ALTER TYPE e ADD VALUE 'b'", "SELECT 'b'::e")
    assert isinstance(told, kinds.UnsafeEnumUse)
    assert "revision of its own" in told.hint


def test_a_deadlock_is_told(admin: DatabaseUrl) -> None:
    run(admin, "CREATE TABLE t(a int)", "CREATE TABLE u(a int)")
    one, two = (psycopg2.connect(**admin.libpq) for _ in range(2))
    one.cursor().execute("LOCK TABLE t")
    two.cursor().execute("SET deadlock_timeout = '1min'")
    two.cursor().execute("LOCK TABLE u")
    other = threading.Thread(target=lambda: two.cursor().execute("LOCK TABLE t"))
    other.start()
    with pytest.raises(psycopg2.Error) as caught:
        one.cursor().execute("SET deadlock_timeout = '50ms'; LOCK TABLE u")
    one.close()
    other.join()
    two.close()
    told = explain(caught.value, url=admin)
    assert isinstance(told, kinds.DeadlockDetected)
    check_clean(told, admin)


def test_anything_else_keeps_code_detail_hint_and_statement(admin: DatabaseUrl) -> None:
    run(admin, "CREATE TABLE t(a int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    told = failing(admin, "INSERT INTO t VALUES (1)", doing="in revision 003_x")
    assert type(told) is DatabaseFailure
    assert told.sqlstate == "23505"
    for part in ("[23505]", "Key (a)=(1) already exists", "INSERT INTO t", "in revision 003_x"):
        assert part in str(told)
    hinted = failing(admin, "SELECT b FROM t", "SELECT 1")
    assert "[42703]" in str(hinted)


def test_a_password_in_a_statement_or_a_message_is_hidden(weak: DatabaseUrl) -> None:
    encoded = quote(PASSWORD, safe="")
    for text in (PASSWORD, encoded):
        with pytest.raises(psycopg2.Error) as caught:
            run(weak, f"SELECT '{text}'::int")
        told = explain(caught.value, url=weak)
        assert "***" in str(told)
        check_clean(told, weak)
    other = failing(weak, "CREATE ROLE r_never PASSWORD 'another secret'")
    assert "another secret" not in str(other)


def test_a_password_that_is_also_a_name_leaves_the_name(weak: DatabaseUrl) -> None:
    url = changed(weak, password=weak.database or "")
    with pytest.raises(psycopg2.Error) as caught:
        run(weak, "CREATE SCHEMA s")
    told = explain(caught.value, url=url, doing=f"at {url.sqlalchemy}")
    assert isinstance(told, kinds.PrivilegeMissing)
    assert told.grant == f'GRANT CREATE ON DATABASE "{weak.database}" TO "{weak.user}"'
    assert f":{weak.database}@" not in str(told)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE no_such PASSWORD 'another''secret'",
        "ALTER ROLE no_such PASSWORD $x$another secret$x$",
        "SELECT no_such('host=h password=another-secret user=u')",
        "SELECT no_such('postgres://u:another-secret@h/d')",
    ],
)
def test_a_password_that_a_statement_sets_is_hidden(admin: DatabaseUrl, statement: str) -> None:
    told = failing(admin, statement)
    assert "another" not in str(told)
    assert "no_such" in str(told)


def test_doing_may_not_carry_the_password(weak: DatabaseUrl) -> None:
    told = failing(weak, "SELECT x", doing=f"at {weak.sqlalchemy}")
    assert "***" in str(told)


def test_a_short_password_does_not_tear_words(admin: DatabaseUrl) -> None:
    url = changed(admin, password="a")
    with pytest.raises(psycopg2.Error) as caught:
        run(admin, "SELECT no_such_column")
    assert "no_such_column" in str(explain(caught.value, url=url))


def test_a_long_statement_is_cut(admin: DatabaseUrl) -> None:
    told = failing(admin, "SELECT\n\t1,\n" + "2, " * 1000 + "x")
    assert len(str(told)) < 400
    assert "…" in str(told)


def test_a_failure_is_explained_once(admin: DatabaseUrl) -> None:
    told = DatabaseFailure("Said already")
    assert explain(told) is told


def test_a_foreign_key_on_an_enum_that_holds_a_length_is_told(admin: DatabaseUrl) -> None:
    told = failing(
        admin,
        "CREATE TEMPORARY TABLE one (a varchar(10), b int[], UNIQUE (a, b), "
        "FOREIGN KEY (a, b) REFERENCES one (a, b))",
        "ALTER TABLE one ALTER COLUMN a TYPE varchar(20)",
    )
    assert isinstance(told, kinds.DependentObjects)
    assert "foreign key" in told.what
    assert "Drop the foreign key" in told.hint
