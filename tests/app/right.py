"""What the template's logins may do, and what they may not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2

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


def expected_of(login: str) -> dict[str, bool]:
    """Return whether a login may run each statement."""
    return {**EVERYBODY, **BY_GROUP[login.removesuffix("_clone")]}


def found_of(login: str, dsn: Mapping[str, Any]) -> dict[str, bool]:
    """Run each statement as a login, and take it back; tell whether it was allowed.

    Args:
        login: Its name.
        dsn: How it connects.
    """
    return {statement: _is_allowed(dsn, statement) for statement in expected_of(login)}


def _is_allowed(dsn: Mapping[str, Any], statement: str) -> bool:
    with closing(psycopg2.connect(**dsn)) as connection:
        # Outside a transaction where it has to be, since it is refused before it does anything.
        connection.autocommit = statement.startswith("CREATE DATABASE")
        try:
            connection.cursor().execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
    return True
