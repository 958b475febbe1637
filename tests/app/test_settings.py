"""Where the template's application looks for its database."""

from __future__ import annotations

import sys

import pytest

from app.settings import NoDatabaseError, database_url
from pgmigrations.database_url import DatabaseUrlError


def test_database_url_comes_first() -> None:
    url = database_url({"DATABASE_URL": "postgres://u:p@h/d", "PGHOST": "other"})
    assert url.host == "h"


def test_libpq_variables_come_next() -> None:
    assert database_url({"PGHOST": "other"}).sqlalchemy == "postgresql+psycopg2://"


def test_an_empty_database_url_never_starts_the_embedded_server() -> None:
    with pytest.raises(DatabaseUrlError):
        database_url({"DATABASE_URL": ""})


def test_no_database_and_no_embedded_server_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pgmigrations.embedded", None)
    with pytest.raises(NoDatabaseError, match=r"DATABASE_URL.*\[embedded\]"):
        database_url({})
