"""What revisions written by hand do besides operations: commit, set, end, and come in blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError

from pgmigrations import api
from tests.run.test_runner import TABLE, ledger, query, write
from tests.support.project import Project
from tests.support.script import run_script

WORK = 'op.execute("INSERT INTO account VALUES (7, 7)")\n'
ONCE = (
    "from pathlib import Path\n"
    'tried = Path(__file__).with_suffix(".tried")\n'
    "if not tried.exists():\n"
    "    tried.touch()\n"
    "    op.execute(\"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$\")\n"
)
ENDS = {
    "commit": "op.get_bind().commit()",
    "driver's commit": "op.get_bind().connection.commit()",
    "COMMIT": 'op.execute("COMMIT")',
    "rollback of nothing": "op.get_bind().commit()\nop.get_bind().rollback()",
    "another transaction": "op.get_bind().commit()\nwith op.get_bind().begin(): pass",
}


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path / "project", database_url)
    write(project, "001_table", None, TABLE)
    project.upgrade()
    return project


def versions(project: Project) -> list[Any]:
    return [one for (one,) in query(project.url, "SELECT version_num FROM pgmigrations")]


@pytest.mark.parametrize("end", ENDS)
def test_a_revision_that_ends_with_a_commit_is_recorded(project: Project, end: str) -> None:
    write(project, "002_work", "001_table", WORK + ENDS[end])
    project.upgrade()
    assert versions(project) == ["002_work"]
    assert ledger(project.url)[-1] == ("002_work", "applied", "upgrade")
    assert query(project.url, "SELECT count(*) FROM account WHERE id = 7") == [(1,)]


@pytest.mark.parametrize("end", ENDS)
def test_what_is_committed_is_not_done_again(project: Project, end: str) -> None:
    write(project, "002_work", "001_table", f"{WORK}{ENDS[end]}\n{ONCE}")
    project.upgrade()
    assert versions(project) == ["002_work"]
    assert query(project.url, "SELECT count(*) FROM account WHERE id = 7") == [(1,)]


SETTINGS = {
    "search_path": ('op.execute("CREATE SCHEMA o; SET search_path = o")', "search_path"),
    "as pg_dump": (
        "op.execute(\"SELECT pg_catalog.set_config('search_path', '', false)\")",
        "search_path",
    ),
    "a limit": ('op.execute("SET statement_timeout = 1234; SET work_mem = 4321")', "work_mem"),
    "all of it": ('op.execute("SET work_mem = 4321")\nop.execute("RESET ALL")', "search_path"),
    "a role": ('op.execute("SET ROLE pg_monitor")', "role"),
    "a comment first": ('op.execute("-- so\\n /* as */ SET DateStyle = German")', "DateStyle"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_next_revision_does_not_find_what_one_has_set(project: Project, name: str) -> None:
    body, setting = SETTINGS[name]
    write(project, "002_set", "001_table", body)
    note = f"CREATE TABLE public.seen AS SELECT current_setting('{setting}') AS value"
    write(project, "003_note", "002_set", f'op.execute("{note}")')
    api.dry_run(project.url, ini=project.path / "alembic.ini")
    project.upgrade()
    seen = query(project.url, "SELECT value FROM seen")
    assert seen == query(project.url, f"SELECT current_setting('{setting}')")


@pytest.mark.parametrize("code", ["0", "3"])
@pytest.mark.parametrize("where", ["upgrade", "module"])
def test_a_revision_that_ends_the_process_has_failed(
    project: Project, where: str, code: str
) -> None:
    body = f"import sys; sys.exit({code})"
    path = write(project, "002_exit", "001_table", "pass" if where == "module" else body)
    if where == "module":
        path.write_text(path.read_text() + body)
    script = ["upgrade", "001_table:head", "--sql"]
    for arguments in (["upgrade", "head"], *([script] if where == "upgrade" else [])):
        with pytest.raises(CommandError, match=rf"ends the process \(exit code {code}\)"):
            project.run(*arguments)
    assert versions(project) == ["001_table"]


BLOCK = "with op.get_context().autocommit_block():\n"
ONLINE = 'op.{}("ix_n", {}, postgresql_concurrently=True)'
CREATE = ONLINE.format("create_index", '"account", ["n"]')
DROP = ONLINE.format("drop_index", '"account"')


@pytest.mark.parametrize("block", ["", BLOCK])
def test_an_index_is_built_online_in_a_block_and_without_one(project: Project, block: str) -> None:
    indent = "    " if block else ""
    write(
        project, "002_index", "001_table", f"{WORK}{block}{indent}{CREATE}\nop.execute('SELECT 1')"
    )
    path = write(project, "003_drop", "002_index", f"{block}{indent}{DROP}")
    assert path.exists()
    sql = project.sql("upgrade", "001_table:head")
    project.upgrade("002_index")
    index = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_n')"
    assert query(project.url, index) == [(True,)]
    project.upgrade()
    assert query(project.url, index) == []
    # What cannot be in a transaction is in none there, either.
    run_script(project.url, "DELETE FROM account WHERE id = 7")
    run_script(project.url, "UPDATE pgmigrations SET version_num = '001_table'")
    run_script(project.url, sql)
    assert versions(project) == ["003_drop"]


EDITS = {
    "a column of a table": 'op.create_table("x", sa.Column("id", sa.{}))',
    "a column": 'op.add_column("account", sa.Column("c", sa.{}))',
    "a type": 'op.alter_column("account", "n", type_=sa.{}())',
    "rows": 'op.bulk_insert(sa.table("account", sa.column("id")), [{{"id": len("{}")}}])',
    "a value": 'op.execute(sa.table("account", sa.column("n")).update().values(n=len("{}")))',
    "an expression": 'op.create_index("ix", "account", [sa.text("(length(\'{}\') + n)")])',
    "a check": 'op.create_check_constraint("ck", "account", sa.column("n") > -len("{}"))',
}


@pytest.mark.parametrize("edit", EDITS)
def test_another_beginning_of_what_is_half_done_is_refused(project: Project, edit: str) -> None:
    def revision(word: str, rest: str) -> None:
        write(project, "002_half", "001_table", f"{EDITS[edit].format(word)}\n{BLOCK}    {rest}")

    fails, passes = 'op.execute("SELECT 1 / 0")', 'op.execute("SELECT 1")'
    revision("BigInteger", fails)
    with pytest.raises(CommandError, match="division by zero"):
        project.upgrade()
    revision("Text", passes)
    with pytest.raises(CommandError, match="operations are committed, and are others now"):
        project.upgrade()
    revision("BigInteger", passes)
    project.upgrade()
    assert versions(project) == ["002_half"]


@pytest.mark.parametrize("arguments", [["001_table"], ["--purge", "001_table"]])
def test_a_stamp_forgets_what_was_half_done(project: Project, arguments: list[str]) -> None:
    fails = f'{WORK}{BLOCK}    op.execute("SELECT 1 / 0")'
    write(project, "002_half", "001_table", fails)
    with pytest.raises(CommandError, match="division by zero"):
        project.upgrade()
    run_script(project.url, "DELETE FROM account WHERE id = 7")
    project.run("stamp", *arguments)
    write(project, "002_half", "001_table", WORK)
    project.upgrade()
    assert query(project.url, "SELECT count(*) FROM account WHERE id = 7") == [(1,)]


def test_a_stamp_takes_a_half_done_downgrade_for_whole(project: Project) -> None:
    path = write(project, "002_work", "001_table", WORK)
    fails = f'{BLOCK}        op.execute("SELECT 1 / 0")'
    path.write_text(path.read_text().replace("    pass", f"    {WORK}    {fails}"))
    project.upgrade()
    run_script(project.url, "DELETE FROM account WHERE id = 7")
    with pytest.raises(CommandError, match="division by zero"):
        project.downgrade()
    with pytest.raises(CommandError, match="half done"):
        project.upgrade()
    project.run("stamp", "002_work")
    project.upgrade()
    assert ledger(project.url)[-1][:2] == ("002_work", "stamped")


def test_a_row_that_nobody_knows_is_told(project: Project) -> None:
    run_script(project.url, "UPDATE pgmigrations SET version_num = 'nonesuch'")
    found = api.status(project.url, ini=project.path / "alembic.ini")
    assert {one.revision: one.state for one in found} == {
        "001_table": "applied",
        "nonesuch": "unknown",
    }
