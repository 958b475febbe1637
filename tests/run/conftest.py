"""Two users of a test's database: one that may do all, one that may do nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

import pytest
from psycopg2 import sql

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from tests.run.failing import PASSWORD, run

_numbers = count()


@pytest.fixture
def admin(database_url: str) -> DatabaseUrl:
    return parse_database_url(database_url)


@pytest.fixture
def weak(admin: DatabaseUrl, tcp_server: tuple[str, int]) -> Iterator[DatabaseUrl]:
    """A role of its own for the test, without a privilege, logging in with a password."""
    name = f"weak_{os.getpid()}_{next(_numbers)}"
    role, password = sql.Identifier(name), sql.Literal(PASSWORD)
    run(admin, sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
    host, port = tcp_server
    yield parse_database_url(
        f"postgresql://{name}:{quote(PASSWORD, safe='')}@{host}:{port}/{admin.database}"
    )
    run(admin, sql.SQL("DROP OWNED BY {}").format(role), sql.SQL("DROP ROLE {}").format(role))
