"""From one step to the next there is one message, and nothing can get lost in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from benchmarks.proxy import Relay, relay
from tests.support.project import ENV_CHANGES, REPOSITORY, Project

REVISION = """\
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
    op.execute({statement})

def downgrade():
    op.execute("DROP TABLE t_{number}")
"""
CANCEL_WAITING = """
SELECT pg_cancel_backend(pid) FROM pg_locks
WHERE NOT granted AND relation = 'pgmigrations'::regclass
"""


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path, database_url)


def write(project: Project, *statements: str) -> None:
    parent = None
    for number, statement in enumerate(statements):
        revision = f"{number:03}_step"
        body = REVISION.format(
            revision=revision, parent=parent, number=number, statement=repr(statement)
        )
        (project.versions / f"{revision}.py").write_text(body)
        parent = revision


def tables(count: int) -> list[str]:
    return [f"CREATE TABLE t_{number} (id int)" for number in range(count)]


def rows(project: Project, sql: str) -> list[Any]:
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        return [one for (one,) in connection.execute(text(sql))]


def versions(project: Project) -> list[Any]:
    return rows(project, "SELECT version_num FROM pgmigrations")


def ledger(project: Project) -> list[Any]:
    said = "SELECT concat_ws(' ', revision, status, error) FROM pgmigrations_history ORDER BY id"
    return rows(project, said)


@contextmanager
def relayed(project: Project) -> Iterator[Relay]:
    """Let the project connect through a relay, which counts."""
    direct = project.url
    address = make_url(direct)
    host = str(address.query.get("host") or address.host)
    port = int(str(address.query.get("port") or address.port))
    with relay(host, port) as found:
        local = address.set(host="127.0.0.1", port=found.port, query={})
        project.on(local.render_as_string(hide_password=False))
        yield found
        project.on(direct)


def test_each_more_revision_costs_two_messages(project: Project) -> None:
    write(project, *tables(31))
    project.upgrade("000_step")
    counts = []
    with relayed(project) as counted:
        for target in ("010_step", "030_step"):
            counted.clear()
            project.upgrade(target)
            counts.append(len(counted.statements))
    ten, twenty = counts
    assert twenty - ten == 10 * 2
    assert versions(project) == ["030_step"]
    assert ledger(project) == [f"{number:03}_step applied" for number in range(31)]


def test_a_revision_that_changes_the_version_rows_is_refused(project: Project) -> None:
    first, _, last = tables(3)
    write(project, first, "DELETE FROM pgmigrations", last)
    with pytest.raises(CommandError, match="is at 000_step"):
        project.upgrade()
    assert versions(project) == ["000_step"]
    assert ledger(project) == ["000_step applied"]


def test_what_the_commit_refuses_is_written_down(project: Project) -> None:
    first, second, last = tables(3)
    refused = """
        ALTER TABLE t_0 ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED;
        INSERT INTO t_0 VALUES (1), (1)
    """
    write(project, first, f"{second}; {refused}", last)
    with pytest.raises(CommandError, match="001_step"):
        project.upgrade()
    assert versions(project) == ["000_step"]
    done, failed = ledger(project)
    assert done == "000_step applied"
    assert failed.startswith("001_step failed duplicate key value")
    assert rows(project, "SELECT to_regclass('t_1')::text") == [None]


def test_a_commit_that_is_done_is_done_though_the_next_look_fails(project: Project) -> None:
    """Somebody gets the version table at the moment of the commit, and cancels the look at it."""
    write(project, "CREATE TABLE t_0 (id int)", "SELECT pg_sleep(1)", *tables(4)[2:])
    project.upgrade("000_step")
    engine = create_engine(project.url, poolclass=NullPool)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    def hold() -> None:
        with engine.connect() as connection:
            end = time.monotonic() + 30
            while connection.scalar(text(asleep)) == 0 and time.monotonic() < end:
                # A transaction sees the sessions as they were when it first looked.
                connection.rollback()
                time.sleep(0.05)
            connection.execute(text("LOCK TABLE pgmigrations"))
            while not connection.scalar(text(CANCEL_WAITING)) and time.monotonic() < end:
                time.sleep(0.01)

    with ThreadPoolExecutor() as pool:
        held = pool.submit(hold)
        project.upgrade()
        held.result()
    assert versions(project) == ["003_step"]
    assert ledger(project) == [f"{number:03}_step applied" for number in range(4)]


def test_a_lost_lock_stops_the_next_step(project: Project) -> None:
    end = """
        SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    write(project, "CREATE TABLE t_0 (id int)", end, *tables(3)[2:])
    with pytest.raises(CommandError, match="the lock was lost"):
        project.upgrade()
    assert versions(project) == ["001_step"]
    assert ledger(project) == ["000_step applied", "001_step applied"]
    project.upgrade()
    assert versions(project) == ["002_step"]


def test_one_transaction_for_all_is_refused(tmp_path: Path, database_url: str) -> None:
    """It would be taken back at the end, and nobody would hear of it."""
    env = (REPOSITORY / "alembic" / "env.py").read_text()
    for old, new in ENV_CHANGES.items():
        env = env.replace(old, new)
    given, wanted = "**arguments)", "**{**arguments, 'transaction_per_migration': False})"
    assert given in env
    project = Project(tmp_path, database_url, env=env.replace(given, wanted))
    write(project, *tables(2))
    with pytest.raises(CommandError, match="transaction_per_migration"):
        project.upgrade()
    assert rows(project, "SELECT to_regclass('pgmigrations')::text") == [None]


IN_BATCHES = """\
from pgmigrations import op
import sqlalchemy as sa
revision, down_revision = "001_batches", "000_step"

def upgrade():
    op.execute("CREATE TABLE item AS SELECT n, false AS done FROM generate_series(1, 5) n")
    bind = op.get_bind()
    batch = "UPDATE item SET done = true WHERE n IN (SELECT n FROM item WHERE NOT done LIMIT 2)"
    while bind.execute(sa.text(batch)).rowcount:
        bind.commit()
        {failure}

def downgrade():
    pass
"""


@pytest.mark.parametrize("is_last", [True, False])
def test_a_revision_that_commits_in_batches_is_committed(project: Project, is_last: bool) -> None:
    write(project, *tables(1))
    (project.versions / "001_batches.py").write_text(IN_BATCHES.format(failure="pass"))
    if not is_last:
        last = REVISION.format(
            revision="002_step", parent="001_batches", number=2, statement=repr(tables(3)[2])
        )
        (project.versions / "002_step.py").write_text(last)
    project.upgrade()
    assert rows(project, "SELECT count(*) FROM item WHERE done") == [5]
    assert versions(project) == ["001_batches" if is_last else "002_step"]
    applied = [one for one in ledger(project) if one.endswith("applied")]
    assert (
        applied
        == [f"{one} applied" for one in ("000_step", "001_batches", "002_step")][
            : 2 if is_last else 3
        ]
    )


def test_a_batch_that_fails_leaves_what_was_committed(project: Project) -> None:
    write(project, *tables(1))
    batches = project.versions / "001_batches.py"
    batches.write_text(IN_BATCHES.format(failure="bind.execute(sa.text('nonsense'))"))
    with pytest.raises(CommandError, match="nonsense"):
        project.upgrade()
    assert rows(project, "SELECT count(*) FROM item WHERE done") == [2]
    assert versions(project) == ["000_step"]
    batches.write_text(IN_BATCHES.format(failure="pass"))
    project.upgrade()
    assert rows(project, "SELECT count(*) FROM item WHERE done") == [5]
    assert versions(project) == ["001_batches"]


BEHIND_A_LOOP = """\
from pgmigrations import op
import sqlalchemy as sa
revision, down_revision = "001_loop", "000_step"

def upgrade():
    bind = op.get_bind()
    with op.get_context().autocommit_block():
        count = bind.execute(sa.text("SELECT count(*) FROM t_0")).scalar_one()
        while bind.execute(sa.text(
            "UPDATE t_0 SET id = -id WHERE id IN (SELECT id FROM t_0 WHERE id > 0 LIMIT 2)"
        )).rowcount:
            pass
    bind.execute(sa.text("INSERT INTO t_0 VALUES (-100)"))
    {failure}

def downgrade():
    pass
"""


def test_nothing_is_passed_over_that_was_not_committed(project: Project) -> None:
    """Run again, the loop sends less: what follows it must not be taken for a part of it."""
    write(project, "CREATE TABLE t_0 AS SELECT g AS id FROM generate_series(1, 5) g")
    project.upgrade()
    loop = project.versions / "001_loop.py"
    loop.write_text(BEHIND_A_LOOP.format(failure="op.execute('nonsense')"))
    with pytest.raises(CommandError, match="nonsense"):
        project.upgrade()
    loop.write_text(BEHIND_A_LOOP.format(failure="pass"))
    with pytest.raises(CommandError, match="depends on the rows"):
        project.upgrade()
    assert versions(project) == ["000_step"]


IN_AUTOCOMMIT = """\
from pgmigrations import op
import sqlalchemy as sa
revision, down_revision = "001_read", "000_step"

def upgrade():
    with op.get_context().autocommit_block():
        count = op.get_bind().execute(sa.text("SELECT count(*) FROM t_0")).scalar_one()
        op.get_bind().execute(sa.text("CREATE INDEX CONCURRENTLY ix ON t_0 (id)"))
    op.execute(f"CREATE TABLE had_{{count}} (id int)")
    {failure}

def downgrade():
    pass
"""


def test_what_only_reads_is_asked_again(project: Project) -> None:
    write(project, "CREATE TABLE t_0 AS SELECT 1 AS id")
    project.upgrade()
    read = project.versions / "001_read.py"
    read.write_text(IN_AUTOCOMMIT.format(failure="op.execute('nonsense')"))
    with pytest.raises(CommandError, match="nonsense"):
        project.upgrade()
    read.write_text(IN_AUTOCOMMIT.format(failure="pass"))
    project.upgrade()
    assert rows(project, "SELECT to_regclass('had_1')::text") == ["had_1"]


def test_what_the_first_commit_refuses_is_told(project: Project) -> None:
    refused = "CREATE TABLE t_0 (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)"
    write(project, f"{refused}; INSERT INTO t_0 VALUES (1), (1)", *tables(2)[1:])
    with pytest.raises(CommandError, match="duplicate key"):
        project.upgrade()


@pytest.mark.parametrize("discarding", ["DEALLOCATE ALL", "DEALLOCATE pgmigrations_look"])
def test_a_revision_may_discard_what_its_session_has_prepared(
    project: Project, discarding: str
) -> None:
    statements = tables(8)
    statements[4] += f"; {discarding}"
    write(project, *statements)
    project.upgrade()
    assert versions(project) == ["007_step"]
    assert ledger(project) == [f"{number:03}_step applied" for number in range(8)]


def test_a_revision_may_reset_its_session(project: Project) -> None:
    write(project, *tables(8))
    (project.versions / "004_step.py").write_text(
        "from pgmigrations import op\n"
        "revision, down_revision = '004_step', '003_step'\n\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE t_4 (id int)')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('DISCARD ALL')\n"
    )
    project.upgrade()
    assert versions(project) == ["007_step"]
    finished = [f"{number:03}_step applied" for number in range(8)]
    assert [one for one in ledger(project) if "started" not in one] == finished


def test_a_revision_may_prepare_a_statement_of_any_name(project: Project) -> None:
    statements = tables(4)
    statements[0] += "; PREPARE pgmigrations_write AS SELECT 1"
    write(project, *statements)
    project.upgrade()
    assert versions(project) == ["003_step"]


def test_nothing_stays_prepared_on_a_session(tmp_path: Path, database_url: str) -> None:
    env = (REPOSITORY / "alembic" / "env.py").read_text()
    for old, new in ENV_CHANGES.items():
        env = env.replace(old, new)
    there = "connection.exec_driver_sql('SELECT name FROM pg_prepared_statements')"
    end = "            context.run_migrations()\n\n\nwith"
    assert end in env
    look = f"        assert {there}.all() == []"
    env = env.replace(end, f"            context.run_migrations()\n{look}\n\n\nwith")
    project = Project(tmp_path, database_url, env=env)
    write(project, *tables(5))
    with relayed(project) as counted:
        project.upgrade()
        prepared = [one for one in counted.statements if one.startswith("PREPARE")]
    assert len(prepared) == 1
    assert versions(project) == ["004_step"]
