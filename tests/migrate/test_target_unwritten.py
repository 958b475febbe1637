"""`revision`, its proof with the dump that it is made from, and `check` only read the target."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from pgmigrations.embedded import PostgresTree, temporary_server
from tests.support.project import Project
from tests.support.script import run_script
from tests.support.server import newest_debian_tree

BY_HAND = """
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN upper($1);
CREATE SEQUENCE tickets;
"""


def models(*elements: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "one",
        metadata,
        sa.Column(
            "id", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('tickets')")
        ),
        sa.Column("note", sa.Text, server_default=sa.text("shout('a')")),
        *elements,
    )
    return metadata


def edited() -> sa.MetaData:
    """Models with what a proof runs every statement for: an index, a check, a column, a table."""
    metadata = models(
        sa.Column("size", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("size >= 0", name="one_size_check"),
        sa.Index("one_index", "note"),
    )
    sa.Table("two", metadata, sa.Column("id", sa.ForeignKey("one.id"), primary_key=True))
    return metadata


def migrated(project: Project) -> Project:
    run_script(project.url, BY_HAND)
    project.models(models()).autogenerate()
    project.upgrade()
    run_script(project.url, "INSERT INTO one VALUES (DEFAULT, 'a'), (DEFAULT, 'b')")
    return project


def work(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    """Let everything happen that must not write."""
    with caplog.at_level("INFO", "pgmigrations"):
        assert project.models(edited()).autogenerate("edited") is not None
    assert any(line.startswith("Proved") for line in caplog.messages)
    project.revisions()[-1].unlink()
    assert not project.check()
    assert project.models(models()).check()


def with_user(url: str, user: str) -> str:
    return make_url(url).set(username=user).render_as_string(hide_password=False)


@contextmanager
def role(url: str, attributes: str, *more: str) -> Iterator[str]:
    """A role that may connect, and by default only reads."""
    name = f"reader_{os.getpid()}_{make_url(url).database}"
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE ROLE "{name}" LOGIN {attributes}')
        try:
            for statement in more:
                connection.exec_driver_sql(statement.format(role=f'"{name}"'))
            yield name
        finally:
            connection.exec_driver_sql(f'DROP OWNED BY "{name}"')
            connection.exec_driver_sql(f'DROP ROLE "{name}"')


def fingerprint(url: str) -> dict[str, Any]:
    """Say of every row of every table of the database which version of it is where."""
    engine = sa.create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind IN ('r', 't') AND NOT relisshared AND relpersistence <> 't'"
        )
        return {
            table: connection.exec_driver_sql(
                "SELECT md5(string_agg(concat_ws(' ', ctid, xmin, xmax), ',' ORDER BY ctid))"
                f" FROM {table}"
            ).scalar_one()
            for table in tables.scalars().all()
        }


def counters(url: str) -> tuple[Any, ...]:
    """Read what the server has counted of the database."""
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT tup_inserted, tup_updated, tup_deleted, temp_files FROM pg_stat_database"
            " WHERE datname = current_database()"
        ).one()
        return tuple(row)


def next_transaction(url: str) -> int:
    """Read the number of the next transaction of the whole server that writes anything."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        return int(connection.exec_driver_sql(query).scalar_one())


@pytest.fixture
def quiet_server(server_version: int) -> Iterator[Callable[[str], str]]:
    """A server of the same version on which nothing else happens; gives URLs of new databases."""
    major = server_version // 10000
    tree = None if major == 18 else PostgresTree.at(newest_debian_tree())
    if tree is not None and tree.version[0] != major:
        pytest.skip(f"there is no second server of PostgreSQL {major}")
    with temporary_server(tree=tree, settings={"autovacuum": "off"}) as server:

        def make(name: str) -> str:
            server.create_database(name)
            return server.url(name)

        yield make


def test_beside_the_target_no_row_of_it_moves(
    tmp_path: Path, quiet_server: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    url = quiet_server("target")
    project = migrated(Project(tmp_path / "project", url))
    before = fingerprint(url), counters(url)
    assert len(before[0]) > 60
    work(project, caplog)
    assert (fingerprint(url), counters(url)) == before


def test_a_role_that_by_default_only_reads_can_do_it_all(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    project = migrated(Project(tmp_path / "project", database_url))
    with role(
        database_url,
        "CREATEDB",
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ) as name:
        (project.path / "database_url").write_text(with_user(database_url, name))
        work(project, caplog)


def test_with_the_scratch_elsewhere_the_targets_server_begins_no_transaction_that_writes(
    tmp_path: Path,
    server_url: str,
    quiet_server: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As a role that may read, and nothing else."""
    url = quiet_server("target")
    project = migrated(Project(tmp_path / "project", url, settings={"scratch_url": server_url}))
    with role(
        url,
        "NOCREATEDB",
        "REVOKE ALL ON DATABASE target FROM PUBLIC",
        "GRANT CONNECT ON DATABASE target TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ) as name:
        (project.path / "database_url").write_text(with_user(url, name))
        before = next_transaction(url)
        work(project, caplog)
        assert next_transaction(url) == before


def test_an_empty_target_stays_empty(
    tmp_path: Path, server_url: str, quiet_server: Callable[[str], str]
) -> None:
    """Not even a version table is made."""
    url = quiet_server("target")
    project = Project(tmp_path / "project", url, settings={"scratch_url": server_url})
    metadata = sa.MetaData()
    sa.Table("one", metadata, sa.Column("id", sa.Integer, primary_key=True))
    before = next_transaction(url)
    project.models(metadata)
    assert not project.check()
    assert project.autogenerate() is not None
    assert next_transaction(url) == before


@pytest.mark.parametrize(
    "sql", ["UPDATE one SET note = note", "CREATE TABLE two ()", "SELECT * FROM one FOR UPDATE"]
)
def test_the_evidence_sees_a_write(sql: str, quiet_server: Callable[[str], str]) -> None:
    url = quiet_server("target")
    run_script(url, "CREATE TABLE one (note text); INSERT INTO one VALUES ('a')")
    before = fingerprint(url), next_transaction(url)
    run_script(url, sql)
    after = fingerprint(url), next_transaction(url)
    assert after[0] != before[0]
    assert after[1] != before[1]
