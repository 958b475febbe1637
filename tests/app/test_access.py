"""What the template's logins may do, and what they may not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import make_url

from tests.support.own_server import OwnServers
from tests.support.project import REPOSITORY
from tests.support.script import run_script

pytestmark = pytest.mark.needs_extension("uuid-ossp", "vector")

LOGINS = ("app_rw", "app_rw_clone", "app_tc", "app_tc_clone")
INSERTED = "INSERT INTO system_settings VALUES ('k', '1')"
EVERYBODY = {
    "SELECT count(*) FROM users": True,
    INSERTED: True,
    "UPDATE system_settings SET value = '2' WHERE key = 'default_model'": True,
    "DELETE FROM system_settings WHERE key = 'default_model'": True,
    "INSERT INTO users (email, display_name) SELECT 'a', 'b' WHERE false": True,
    "TRUNCATE system_settings": False,
    "ALTER TABLE system_settings ADD COLUMN c integer": False,
    "DROP TABLE system_settings": False,
    "CREATE INDEX ON system_settings (value)": False,
    "GRANT readwrite TO app_tc": False,
    "SELECT * FROM pgmigrations": False,
    "DELETE FROM pgmigrations": False,
    "INSERT INTO pgmigrations VALUES ('x')": False,
    "SELECT * FROM pgmigrations_history": False,
    "DELETE FROM pgmigrations_history": False,
    "CREATE ROLE another": False,
    "ALTER ROLE app_tc PASSWORD 'x'": False,
    "CREATE DATABASE another": False,
    "CREATE SCHEMA another": False,
    "CREATE EXTENSION hstore": False,
    "SET ROLE postgres": False,
    "COPY system_settings TO PROGRAM 'true'": False,
}
BY_GROUP = {
    "app_rw": {
        "CREATE TABLE later (id integer)": False,
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'": False,
        "SET ROLE tablecreator": False,
    },
    "app_tc": {
        "CREATE TABLE later (id integer)": True,
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'": True,
        "SET ROLE readwrite": False,
    },
}


@pytest.fixture(scope="module")
def upgraded(own_servers: OwnServers) -> Iterator[str]:
    """The template's database at head, on a server of its own, whose logins may log in."""
    with own_servers() as url:
        subprocess.run(
            [sys.executable, "-m", "alembic.config", "upgrade", "head"],
            cwd=REPOSITORY,
            env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": f"{REPOSITORY}/src"},
            capture_output=True,
            timeout=60,
            check=True,
        )
        run_script(url, ";".join(f"ALTER ROLE {name} LOGIN" for name in LOGINS))
        yield url


def is_allowed(url: str, login: str, statement: str) -> bool:
    """Run a statement as a login, and take it back."""
    dsn = make_url(url).set(drivername="postgresql", username=login)
    connection = psycopg2.connect(dsn.render_as_string(hide_password=False))
    try:
        # Outside a transaction where it has to be, since it is refused before it does anything.
        connection.autocommit = statement.startswith("CREATE DATABASE")
        connection.cursor().execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return False
    finally:
        connection.close()
    return True


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_may_do_what_it_should_and_nothing_else(upgraded: str, login: str) -> None:
    expected = {**EVERYBODY, **BY_GROUP[login.removesuffix("_clone")]}
    found = {statement: is_allowed(upgraded, login, statement) for statement in expected}
    assert found == expected


def test_both_logins_of_an_application_own_and_alter_the_same_tables(upgraded: str) -> None:
    def run(login: str, statement: str) -> None:
        dsn = make_url(upgraded).set(drivername="postgresql", username=login)
        connection = psycopg2.connect(dsn.render_as_string(hide_password=False))
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    run("app_tc", "CREATE TABLE made (id serial PRIMARY KEY)")
    run("app_tc_clone", "ALTER TABLE made ADD COLUMN name text")
    # What the one makes, the other application uses, the sequence included.
    run("app_rw", "INSERT INTO made (name) VALUES ('x')")
    run("app_rw_clone", "DELETE FROM made")
    run("app_tc_clone", "DROP TABLE made")
