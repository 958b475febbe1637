from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.scratch import (
    NoScratchDatabase,
    ScratchServerDiffers,
    scratch_database,
)


@pytest.fixture
def target(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


@pytest.fixture
def weak(database_url: str, target: Connection) -> Iterator[Connection]:
    """A connection to the same database as a role that may create none."""
    name = f"weak_{os.getpid()}_{make_url(database_url).database}"
    target.execute(text(f'CREATE ROLE "{name}" LOGIN'))
    target.commit()
    url = make_url(database_url).set(username=name)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection
    target.rollback()
    target.execute(text(f'DROP ROLE "{name}"'))
    target.commit()


def databases(connection: Connection) -> set[str]:
    """Name the scratch databases of this test's target."""
    oid = connection.execute(
        text("SELECT oid FROM pg_database WHERE datname = current_database()")
    ).scalar_one()
    found = connection.execute(
        text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)"),
        {"prefix": f"pgm_scratch_{oid}_"},
    )
    return set(found.scalars())


FACTS = """
SELECT current_setting('server_encoding'), d.datcollate, d.datctype, current_setting('search_path')
FROM pg_database d WHERE datname = current_database()
"""


def test_it_is_empty_alike_and_gone_afterwards(target: Connection) -> None:
    target.execute(text("CREATE TABLE t (a int)"))
    target.commit()
    with scratch_database(target) as scratch:
        assert len(databases(target)) == 1
        assert scratch.execute(text("SELECT to_regclass('public.t')")).scalar_one() is None
        assert scratch.execute(text(FACTS)).one() == target.execute(text(FACTS)).one()
    assert databases(target) == set()


def test_the_targets_search_path_holds_there_too(target: Connection) -> None:
    target.execute(text("CREATE SCHEMA app"))
    target.execute(text("SET search_path TO app, public"))
    with scratch_database(target) as scratch:
        assert scratch.execute(text("SELECT current_schema()")).scalar_one() == "app"


def test_it_is_gone_after_an_error(target: Connection) -> None:
    with pytest.raises(RuntimeError), scratch_database(target):
        raise RuntimeError
    assert databases(target) == set()


def test_two_at_once_do_not_disturb_each_other(target: Connection) -> None:
    with scratch_database(target) as one, scratch_database(target) as other:
        names = {
            connection.execute(text("SELECT current_database()")).scalar_one()
            for connection in (one, other)
        }
        assert databases(target) == names
    assert databases(target) == set()


def test_a_role_without_the_right_is_told_the_ways_out(weak: Connection) -> None:
    with pytest.raises(NoScratchDatabase) as refused, scratch_database(weak):
        pass
    for way in ("CREATEDB", "scratch_url", "embedded"):
        assert way in str(refused.value)


def test_a_role_without_the_right_can_use_another_server(weak: Connection, server_url: str) -> None:
    with scratch_database(weak, server_url) as scratch:
        assert (
            scratch.execute(text("SELECT current_user")).scalar_one()
            != weak.execute(text("SELECT current_user")).scalar_one()
        )
    assert databases(weak) == set()


@pytest.mark.needs_server(min=18, max=18)
def test_the_embedded_server_serves_where_the_versions_are_equal(weak: Connection) -> None:
    with scratch_database(weak, "embedded") as scratch:
        scratch.execute(text("CREATE TABLE t (a int)"))
    assert databases(weak) == set()


@pytest.mark.needs_server(max=17)
def test_the_embedded_server_is_refused_where_they_differ(weak: Connection) -> None:
    with (
        pytest.raises(ScratchServerDiffers, match="PostgreSQL 18"),
        scratch_database(weak, "embedded"),
    ):
        pass
