"""Revisions run one at a time, survive a crash between their pieces, and are written down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.run.lock import LockKeys
from tests.support.project import Project

HEAD = """\
from __future__ import annotations
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
{body}

def downgrade():
    pass
"""
TABLE = """\
op.create_table("account",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("n", sa.Integer),
)
op.execute("INSERT INTO account SELECT g, g FROM generate_series(1, 3) g")
"""
PIECES = """\
op.execute("UPDATE account SET n = n * 2")
op.get_bind().execute(sa.text("INSERT INTO account VALUES (10, 10)"))
op.create_index("ix_n", "account", ["n"], if_not_exists=True, postgresql_concurrently=True)
op.execute("UPDATE account SET n = n + 1")
"""


def write(project: Project, revision: str, parent: str | None, body: str) -> Path:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    path = project.versions / f"{revision}.py"
    path.write_text(HEAD.format(revision=revision, parent=parent, body=indented.rstrip()))
    return path


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path / "project", database_url)
    write(project, "001_table", None, TABLE)
    return project


@contextmanager
def connected(url: str) -> Iterator[Any]:
    _, arguments = make_url(url).get_dialect()().create_connect_args(make_url(url))
    connection = psycopg2.connect(**arguments)
    try:
        yield connection
    finally:
        connection.close()


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def ledger(url: str) -> list[tuple[Any, ...]]:
    return query(url, "SELECT revision, status, direction FROM pgmigrations_history ORDER BY id")


def start(project: Project, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=project.path,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_revision_leaves_a_row(project: Project) -> None:
    write(project, "002_more", "001_table", "op.execute('SELECT 1')")
    project.upgrade()
    project.downgrade()
    project.run("stamp", "002_more")
    assert ledger(project.url) == [
        ("001_table", "applied", "upgrade"),
        ("002_more", "applied", "upgrade"),
        ("002_more", "reverted", "downgrade"),
        ("002_more", "stamped", None),
    ]
    found = query(
        project.url,
        "SELECT name, length(checksum), duration >= 0, db_user = session_user::text, "
        "host IS NOT NULL, application_name FROM pgmigrations_history WHERE id = 1",
    )
    assert found == [("001_table", 32, True, True, True, "pgmigrations")]


def test_a_failure_is_written_down_and_taken_back(project: Project) -> None:
    project.upgrade()
    write(
        project, "002_bad", "001_table", "op.execute('DELETE FROM account')\nop.execute('nonsense')"
    )
    with pytest.raises(CommandError, match="002_bad"):
        project.upgrade()
    assert query(project.url, "SELECT count(*) FROM account") == [(3,)]
    assert query(
        project.url, "SELECT status, error LIKE '%nonsense%' FROM pgmigrations_history WHERE id = 2"
    ) == [("failed", True)]


def test_the_committed_part_of_a_revision_is_not_run_again(project: Project) -> None:
    """Neither an UPDATE that may not be repeated, nor one that hand-written code sends."""
    project.upgrade()
    path = write(project, "002_pieces", "001_table", PIECES + "op.execute('nonsense')\n")
    with pytest.raises(CommandError, match="nonsense"):
        project.upgrade()
    assert ledger(project.url)[1:] == [
        ("002_pieces", "started", "upgrade"),
        ("002_pieces", "failed", "upgrade"),
    ]
    path.unlink()
    write(project, "002_pieces", "001_table", PIECES)
    project.upgrade()
    expected = [(1, 3), (2, 5), (3, 7), (10, 11)]
    assert query(project.url, "SELECT id, n FROM account ORDER BY id") == expected
    assert ledger(project.url)[-1] == ("002_pieces", "applied", "upgrade")


def test_another_beginning_of_a_half_done_revision_is_refused(project: Project) -> None:
    project.upgrade()
    write(project, "002_pieces", "001_table", PIECES + "op.execute('nonsense')\n")
    with pytest.raises(CommandError, match="nonsense"):
        project.upgrade()
    write(project, "002_pieces", "001_table", PIECES.replace("n * 2", "n * 3"))
    with pytest.raises(CommandError, match="operations are committed"):
        project.upgrade()


def test_an_invalid_index_is_built_again(project: Project) -> None:
    project.upgrade()
    with connected(project.url) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("INSERT INTO account VALUES (4, 1)")
            with pytest.raises(psycopg2.errors.UniqueViolation):
                cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_n ON account (n)")
            cursor.execute("DELETE FROM account WHERE id = 4")
    create = (
        'op.create_index("ix_n", "account", ["n"], unique=True, if_not_exists=True, '
        "postgresql_concurrently=True)"
    )
    write(project, "002_index", "001_table", create)
    project.upgrade()
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_n'::regclass"
    assert query(project.url, valid) == [(True,)]


def test_a_held_lock_is_named(project: Project) -> None:
    path = project.path / "alembic.ini"
    path.write_text(path.read_text().replace("[pgmigrations]", "[pgmigrations]\nlock_wait = 0"))
    database = str(make_url(project.url).database)
    keys = LockKeys.of(database, "public", "pgmigrations")
    with connected(project.url) as other, other.cursor() as cursor:
        cursor.execute("SET application_name = 'the other'")
        cursor.execute("SELECT pg_advisory_lock(%s)", (keys.runner,))
        other.commit()
        with pytest.raises(CommandError, match=r"Another run works on this database.*the other"):
            project.upgrade()
    assert query(project.url, "SELECT to_regclass('account') IS NULL") == [(True,)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_takes_the_revision_back(
    project: Project, number: signal.Signals, code: int
) -> None:
    project.upgrade()
    body = "op.execute('DELETE FROM account')\nop.execute('SELECT pg_sleep(60)')"
    write(project, "002_long", "001_table", body)
    running = start(project, "upgrade", "head")
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' "
        "AND pid <> pg_backend_pid()"
    )
    end = time.monotonic() + 30
    while query(project.url, sleeping) == [(0,)] and time.monotonic() < end:
        time.sleep(0.1)
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == code, errors
    assert "Traceback" not in errors
    assert query(project.url, "SELECT count(*) FROM account") == [(3,)]
    locks = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert query(project.url, locks) == [(0,)]


def test_several_at_once_on_an_empty_database(project: Project) -> None:
    write(project, "002_pieces", "001_table", PIECES)
    running = [start(project, "upgrade", "head") for _ in range(4)]
    ended = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0] * 4, ended
    assert query(project.url, "SELECT id, n FROM account ORDER BY id") == [
        (1, 3),
        (2, 5),
        (3, 7),
        (10, 11),
    ]
    assert [row for row in ledger(project.url) if row[1] == "applied"] == [
        ("001_table", "applied", "upgrade"),
        ("002_pieces", "applied", "upgrade"),
    ]


def test_a_database_ahead_of_the_files_is_no_error(project: Project) -> None:
    path = write(project, "002_more", "001_table", "op.execute('SELECT 1')")
    project.upgrade()
    path.unlink()
    project.upgrade()
    ini = project.path / "alembic.ini"
    ini.write_text(ini.read_text().replace("[pgmigrations]", "[pgmigrations]\nrefuse_ahead = true"))
    with pytest.raises(CommandError, match="ahead of the revision files by 1: 002_more"):
        project.upgrade()
    query(project.url, "UPDATE pgmigrations SET version_num = '009_unknown' RETURNING 1")
    with pytest.raises(CommandError, match="009_unknown"):
        project.upgrade()


def test_changed_code_is_refused_in_a_database_that_is_ahead(project: Project) -> None:
    path = write(project, "002_more", "001_table", "op.execute('SELECT 1')")
    project.upgrade()
    path.unlink()
    write(project, "001_table", None, "op.execute('SELECT 2')")
    project.upgrade()
    ini = project.path / "alembic.ini"
    told = "[pgmigrations]\nrefuse_changed = true"
    ini.write_text(ini.read_text().replace("[pgmigrations]", told))
    with pytest.raises(CommandError, match="Changed since it was applied: 001_table"):
        project.upgrade()


def test_a_schema_that_comes_before_the_version_tables_changes_nothing(project: Project) -> None:
    """As one that is named like the user does, by PostgreSQL's own search path."""
    project.upgrade()
    query(project.url, "CREATE SCHEMA early; SELECT 1")
    later = make_url(project.url).update_query_dict({"options": "-csearch_path=early,public"})
    project.on(later.render_as_string(hide_password=False))
    write(project, "002_more", "001_table", "op.execute('SELECT 1')")
    write(project, "003_more", "002_more", "op.execute('SELECT 1')")
    project.upgrade()
    project.upgrade()
    assert [row[0] for row in ledger(project.url)] == ["001_table", "002_more", "003_more"]
    made = "SELECT count(*) FROM pg_class WHERE relnamespace = 'early'::regnamespace"
    assert query(project.url, made) == [(0,)]


def test_the_ledger_is_in_scripts_too(project: Project) -> None:
    script = project.sql("upgrade")
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.connect() as connection:
        dbapi: Any = connection.connection.dbapi_connection
        dbapi.autocommit = True
        with dbapi.cursor() as cursor:
            cursor.execute(script.replace("BEGIN;", "").replace("COMMIT;", ""))
    assert ledger(project.url) == [("001_table", "applied", "upgrade")]
