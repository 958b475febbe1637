"""Another try of a revision begins as the first one did, and none is left out in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import make_url

from tests.run.test_runner import ledger, query
from tests.support.project import Project

HEAD = """\
from pathlib import Path
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = "001_first", None
"""
ITERATOR = """\
names = iter(["one", "two"])

def upgrade():
    for name in names:
        op.execute(f"CREATE TABLE {name} (id int)")
    tried = Path(__file__).with_suffix(".tried")
    if not tried.exists():
        tried.touch()
        op.execute("DO $$ BEGIN RAISE EXCEPTION 'once' USING ERRCODE = '40001'; END $$")
"""
CAUGHT = """\
def upgrade():
    op.execute("CREATE TABLE before (id int)")
    bind = op.get_bind()
    try:
        with bind.begin_nested():
            {statement}
    except sa.exc.DBAPIError:
        {answer}
"""
ALTER = "ALTER TABLE held ADD COLUMN more int"
END_HOLDER = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE relation = 'held'::regclass"
)


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def write(project: Project, body: str) -> None:
    (project.versions / "001_first.py").write_text(HEAD + body)


def hold(url: str) -> Any:
    address = make_url(url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    connection = psycopg2.connect(**arguments)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE held (id int)")
        connection.commit()
        cursor.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
    return connection


def test_another_try_finds_its_module_as_the_first_one_did(project: Project) -> None:
    write(project, ITERATOR)
    project.upgrade()
    found = query(project.url, "SELECT to_regclass('one')::text, to_regclass('two')::text")
    assert found == [("one", "two")]


@pytest.mark.parametrize("sender", ["op.execute({})", "bind.execute(sa.text({}))"])
def test_a_statement_that_gave_way_is_not_left_out(project: Project, sender: str) -> None:
    """The revision catches the failure, which is none of its own."""
    answer = f'bind.execute(sa.text("{END_HOLDER}"))'
    write(project, CAUGHT.format(statement=sender.format(repr(ALTER)), answer=answer))
    holder = hold(project.url)
    project.upgrade()
    holder.close()
    assert query(project.url, "SELECT count(more) FROM held") == [(0,)]
    assert [row[1] for row in ledger(project.url)] == ["applied"]


def test_a_revision_may_try_the_same_until_it_succeeds(project: Project) -> None:
    again = f'bind.execute(sa.text("{END_HOLDER}")); op.execute({ALTER!r})'
    write(project, CAUGHT.format(statement=f"op.execute({ALTER!r})", answer=again))
    holder = hold(project.url)
    project.upgrade()
    holder.close()
    assert query(project.url, "SELECT count(more) FROM held") == [(0,)]


def test_a_revision_may_ask_without_waiting(project: Project) -> None:
    statement = "LOCK TABLE held NOWAIT"
    write(project, CAUGHT.format(statement=f"op.execute({statement!r})", answer="pass"))
    holder = hold(project.url)
    project.upgrade()
    holder.close()
    assert [row[1] for row in ledger(project.url)] == ["applied"]
