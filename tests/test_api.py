"""The commands as functions, for programs."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from pgmigrations import api
from pgmigrations.errors import PgMigrationsError
from pgmigrations.run.failure import DatabaseFailure
from pgmigrations.run.lock import LockHeld, LockKeys, runner_lock
from pgmigrations.settings import UnknownSetting
from tests.support.database import Databases
from tests.support.project import Project

REVISION = """\
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
    op.execute({forth!r})

def downgrade():
    op.execute({back!r})
"""


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    """Two revisions; its own database cannot be reached, so that the given one must be used."""
    project = Project(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing")
    project.url = database_url
    write(project, "001_one", None, "CREATE TABLE one (id int)", "DROP TABLE one")
    write(project, "002_two", "001_one", "CREATE TABLE two (id int)", "DROP TABLE two")
    return project


def write(project: Project, revision: str, parent: str | None, forth: str, back: str) -> None:
    text = REVISION.format(revision=revision, parent=parent, forth=forth, back=back)
    (project.versions / f"{revision}.py").write_text(text)


def ini(project: Project) -> Path:
    return project.path / "alembic.ini"


def test_an_upgrade_tells_what_it_has_done(project: Project) -> None:
    result = api.upgrade(project.url, ini=ini(project))
    assert (result.before, result.after) == ((), ("002_two",))
    assert [(one.revision, one.status) for one in result.done] == [
        ("001_one", "applied"),
        ("002_two", "applied"),
    ]
    assert all(0 < one.seconds <= result.seconds for one in result.done)
    again = api.upgrade(project.url, ini=ini(project))
    assert not again.is_changed
    assert again.before == again.after == ("002_two",)


def test_a_downgrade_and_a_fake_tell_it_too(project: Project) -> None:
    api.upgrade(project.url, ini=ini(project))
    back = api.downgrade(project.url, "base", ini=ini(project))
    assert [(one.revision, one.status) for one in back.done] == [
        ("002_two", "reverted"),
        ("001_one", "reverted"),
    ]
    faked = api.fake(project.url, "001_one", ini=ini(project))
    assert [(one.revision, one.status) for one in faked.done] == [("001_one", "stamped")]
    assert faked.after == ("001_one",)


def test_an_env_py_that_connects_elsewhere_is_refused(
    project: Project, databases: Databases
) -> None:
    env = project.path / "alembic" / "env.py"
    own = "from sqlalchemy import create_engine\n"
    given, wanted = "connected(database_url) as", f"create_engine({project.url!r}).connect() as"
    assert given in env.read_text()
    text = env.read_text().replace(given, wanted)
    env.write_text(text.replace("from alembic import context", f"{own}from alembic import context"))
    with databases.fresh() as other, pytest.raises(PgMigrationsError, match="asked for"):
        api.upgrade(other, ini=ini(project))
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        there = connection.exec_driver_sql("SELECT to_regclass('one')::text").scalar_one()
    assert there is None


def test_a_transaction_of_env_pys_own_is_told_too(project: Project) -> None:
    env = project.path / "alembic" / "env.py"
    text = env.read_text()
    given = "context.configure(connection=connection, **arguments)"
    assert given in text
    run = "context.run_migrations()\n\n\nwith"
    assert run in text
    text = text.replace(given, f"connection.begin()\n        {given}")
    committed = run.replace("\n\n\n", "\n        connection.commit()\n\n\n")
    env.write_text(text.replace(run, committed))
    result = api.upgrade(project.url, ini=ini(project))
    assert [one.revision for one in result.done] == ["001_one", "002_two"]
    assert result.after == ("002_two",)


def test_status_and_log_are_data(project: Project) -> None:
    api.upgrade(project.url, "001_one", ini=ini(project))
    states = api.status(project.url, ini=ini(project))
    assert [(one.revision, one.state) for one in states] == [
        ("001_one", "applied"),
        ("002_two", "pending"),
    ]
    (row,) = api.log(project.url, ini=ini(project))
    assert (row.name, row.status) == ("001_one", "applied")


def test_a_dry_run_returns_what_was_sent(project: Project) -> None:
    api.upgrade(project.url, "001_one", ini=ini(project))
    (tried,) = api.dry_run(project.url, ini=ini(project))
    assert (tried.revision, tried.error) == ("002_two", None)
    assert [one.sql for one in tried.statements] == ["CREATE TABLE two (id int)"]
    assert api.upgrade(project.url, ini=ini(project)).before == ("001_one",)


def test_it_can_be_called_in_a_running_event_loop_and_beside_it(project: Project) -> None:
    async def both() -> tuple[api.Result, api.Result]:
        inside = api.upgrade(project.url, "001_one", ini=ini(project))
        beside = await asyncio.to_thread(api.upgrade, project.url, ini=ini(project))
        return inside, beside

    inside, beside = asyncio.run(both())
    assert inside.after == beside.before == ("001_one",)
    assert beside.after == ("002_two",)


def test_several_threads_upgrade_one_database_after_the_other(
    project: Project, databases: Databases
) -> None:
    results: dict[str, api.Result] = {}

    def run(url: str) -> None:
        results[url] = api.upgrade(url, ini=ini(project))

    with databases.fresh() as one, databases.fresh() as other:
        urls = [one, other, project.url]
        threads = [threading.Thread(target=run, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert {url: result.after for url, result in results.items()} == dict.fromkeys(
        urls, ("002_two",)
    )


def test_a_failure_is_an_exception_of_its_own_class(project: Project) -> None:
    write(project, "003_bad", "002_two", "SELECT nothing_like_it", "SELECT 1")
    with pytest.raises(DatabaseFailure, match=r"003_bad.*nothing_like_it"):
        api.upgrade(project.url, ini=ini(project))
    assert [one.state for one in api.status(project.url, ini=ini(project))] == [
        "applied",
        "applied",
        "failed",
    ]
    with pytest.raises(api.MigrationFailed, match="999_none"):
        api.upgrade(project.url, "999_none", ini=ini(project))
    with pytest.raises(api.MigrationFailed, match=r"no\.ini.*ini="):
        api.upgrade(project.url, ini=project.path / "no.ini")
    with pytest.raises(DatabaseFailure):
        api.upgrade(ini=ini(project))


def test_settings_of_a_call_win(project: Project) -> None:
    keys = LockKeys.of(str(make_url(project.url).database), "public", "pgmigrations")
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        with runner_lock(driver, keys, wait=0), pytest.raises(LockHeld):
            api.upgrade(project.url, ini=ini(project), settings={"lock_wait": 0.0})
    with pytest.raises(UnknownSetting, match="lock_wiat"):
        api.upgrade(project.url, ini=ini(project), settings={"lock_wiat": 0.0})


def test_the_programs_logging_stays_as_it_is(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers = list(logging.getLogger().handlers)
    api.upgrade(project.url, ini=ini(project))
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr().out == ""


def test_the_module_imports_neither_alembic_nor_sqlalchemy() -> None:
    code = (
        "import sys, pgmigrations.api; "
        "print([one for one in ('alembic', 'sqlalchemy', 'psycopg2') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_repair_says_what_it_accepted(project: Project) -> None:
    api.upgrade(project.url, ini=ini(project))
    assert api.repair(project.url, ini=ini(project)) == []
    write(project, "001_one", None, "CREATE TABLE one (id bigint)", "DROP TABLE one")
    assert api.repair(project.url, ini=ini(project)) == ["001_one"]
    assert not any(one.is_changed for one in api.status(project.url, ini=ini(project)))


def test_an_unlock_says_whom_it_ended(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.unlock(project.url, ini=ini(project)) == []
    engine = create_engine(project.url, poolclass=NullPool)
    with engine.connect() as connection:
        database, schema = connection.exec_driver_sql(
            "SELECT current_database(), current_schema()"
        ).one()
        key = LockKeys.of(database, schema, "pgmigrations").runner
        taken = f"SELECT pg_try_advisory_lock({key}), pg_backend_pid()"
        is_taken, pid = connection.exec_driver_sql(taken).one()
        assert is_taken
        assert [one.pid for one in api.unlock(project.url, ini=ini(project))] == [pid]
        connection.invalidate()
    assert capsys.readouterr().out == ""


def test_a_rebase_says_what_became_of_the_files(project: Project) -> None:
    api.upgrade(project.url, ini=ini(project))
    write(project, "002_other", "001_one", "CREATE TABLE other (id int)", "DROP TABLE other")
    (renamed,) = api.rebase(project.url, "002_other", ini=ini(project))
    assert (renamed.new_revision, renamed.new_parent) == ("003_other", "002_two")
    assert api.upgrade(project.url, ini=ini(project)).after == ("003_other",)


def test_an_adoption_and_its_undoing_are_sentences(project: Project) -> None:
    with create_engine(project.url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE one (id int); CREATE TABLE two (id int); CREATE TABLE three (id int);"
            "CREATE TABLE alembic_version (version_num varchar(32));"
            "INSERT INTO alembic_version VALUES ('002_two')"
        )
    place: dict[str, Any] = {"url": project.url, "ini": ini(project)}
    said = api.adopt(keep=["one", "two"], drop=["three"], **place)
    assert said.startswith("Adopted at 002_two")
    assert api.upgrade(**place).after == ("002_two",)
    assert "plain Alembic's again" in api.adopt(undo=True, **place)
