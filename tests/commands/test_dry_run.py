"""`pgmigrations dry-run`: what the pending revisions send, run on a copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pgmigrations.embedded import PostgresTree, temporary_server
from tests.migrate.test_target_unwritten import next_transaction, role, with_user
from tests.support.project import Project
from tests.support.script import run_script
from tests.support.server import newest_debian_tree

REVISION = """\
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
{upgrade}

def downgrade():
    pass
"""
USERS = """\
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mood", sa.Enum("good", "bad", name="mood")),
        if_not_exists=True,
    )"""


def write(project: Project, revision: str, parent: str | None, upgrade: str = "    pass") -> Path:
    path = project.versions / f"{revision}.py"
    path.write_text(REVISION.format(revision=revision, parent=parent, upgrade=upgrade))
    return path


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path / "project", database_url)
    write(project, "001_users", None, USERS)
    return project


@pytest.fixture
def shared(tmp_path: Path, database_url: str, server_url: str) -> Project:
    """Its copies are on the server of its database."""
    project = Project(tmp_path / "shared", database_url, settings={"scratch_url": server_url})
    write(project, "001_users", None, USERS)
    return project


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgmigrations.cli", *arguments],
        cwd=project.path,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def tried(project: Project, *arguments: str) -> list[dict[str, Any]]:
    done = run(project, "dry-run", *arguments, "--json")
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_each_statement_is_told_with_its_operation_and_its_lock(project: Project) -> None:
    project.upgrade()
    notes = """\
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("tone", sa.Enum("loud", "quiet", name="tone")),
        if_not_exists=True,
    )
    op.add_column("users", sa.Column("name", sa.Text, server_default="50 %"), if_not_exists=True)"""
    write(project, "002_notes", "001_users", notes)
    index = """\
    op.create_index(
        "users_name", "users", ["name"], if_not_exists=True, postgresql_concurrently=True
    )
    op.create_index("users_mood", "users", ["mood"], if_not_exists=True)"""
    write(project, "003_index", "002_notes", index)
    second, third = tried(project)
    assert (second["revision"], third["revision"]) == ("002_notes", "003_index")
    kind, table, column = second["statements"]
    assert kind["sql"] == "CREATE TYPE tone AS ENUM ('loud', 'quiet')"
    assert (table["operation"], table["subject"]) == ("create_table", "table notes")
    assert table["locks"] == {"public.users": "SHARE ROW EXCLUSIVE"}
    assert (column["operation"], column["subject"]) == ("add_column", "column users.name")
    assert column["locks"] == {"public.users": "ACCESS EXCLUSIVE"}
    assert "DEFAULT '50 %'" in column["sql"]
    concurrent, plain = third["statements"]
    assert not concurrent["in_transaction"]
    assert "CONCURRENTLY" in concurrent["sql"]
    assert plain["locks"] == {"public.users": "SHARE"}


def test_what_is_written_by_hand_is_told_as_it_was_sent(project: Project) -> None:
    by_hand = """\
    op.execute("UPDATE users SET mood = 'bad'")
    op.execute(sa.text("SELECT :n").bindparams(n=5))
    op.get_bind().execute(sa.text("SELECT '%' || :a"), [{"a": "it's"}])
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute("DROP TABLE users")"""
    write(project, "002_by_hand", "001_users", by_hand)
    project.upgrade("001_users")
    (one,) = tried(project)
    assert {sent["operation"] for sent in one["statements"]} == {"by hand"}
    assert [sent["sql"] for sent in one["statements"]] == [
        "UPDATE users SET mood = 'bad'",
        "SELECT 5",
        "SELECT '%' || 'it''s'",
        "DROP TABLE users",
    ]
    locks = [sent["locks"].get("public.users") for sent in one["statements"]]
    assert locks == ["ROW EXCLUSIVE", None, None, "ACCESS EXCLUSIVE"]
    assert fetch(project.url, "SELECT to_regclass('users') IS NOT NULL") == [(True,)]


def test_nothing_pending_is_said(project: Project) -> None:
    project.upgrade()
    done = run(project, "dry-run")
    assert (done.returncode, done.stdout) == (0, "Nothing is pending\n")
    assert tried(project) == []


def test_it_goes_as_far_as_it_is_asked_to(project: Project) -> None:
    write(project, "002_two", "001_users")
    write(project, "003_three", "002_two")
    assert [one["revision"] for one in tried(project, "002_two")] == ["001_users", "002_two"]
    project.upgrade("001_users")
    done = run(project, "dry-run", "+1")
    assert done.returncode == 0
    assert "002_two\n  sends nothing\n1 pending" in done.stdout


def test_a_revision_that_fails_is_shown_with_its_statement(project: Project) -> None:
    write(project, "002_bad", "001_users", "    op.execute('nonsense')")
    write(project, "003_three", "002_bad")
    done = run(project, "dry-run")
    assert done.returncode == 1
    assert "by hand; FAILS\n      nonsense" in done.stdout
    assert "in revision 002_bad" in done.stdout
    assert "003_three" not in done.stdout
    first, second = tried(project)
    assert (first["error"], second["statements"][-1]["failed"]) == (None, True)
    assert fetch(project.url, "SELECT to_regclass('pgmigrations') IS NULL") == [(True,)]


def test_a_half_done_revision_is_refused(project: Project) -> None:
    half = "    op.get_context().autocommit_block().__enter__()\n    op.execute('nonsense')"
    write(project, "002_half", "001_users", half)
    assert run(project, "upgrade").returncode != 0
    done = run(project, "dry-run")
    assert done.returncode != 0
    assert "002_half is half done" in done.stdout + done.stderr


OF_SERVER = {
    "in a transaction": ["op.execute('CREATE ROLE dry_run_role')"],
    "by itself": ["with block(): op.execute('CREATE ROLE dry_run_role')"],
    "by a COMMIT": ["op.execute('CREATE ROLE dry_run_role')", "op.execute('/* now */ commit')"],
    "after a COMMIT": ["op.execute('COMMIT')", "op.execute('CREATE ROLE dry_run_role')"],
    "in a transaction of its own": [
        "with block():",
        "    op.execute('BEGIN')",
        "    op.execute('CREATE ROLE dry_run_role')",
        "    op.execute('END')",
    ],
    "with a parameter": [
        "with block(): op.get_bind().execute(sa.text('SELECT :a, 1 % 2'), {'a': 'x'})",
        "with block(): op.execute('CREATE ROLE dry_run_role')",
    ],
    "a database": ["with block(): op.execute('-- new\\nCREATE DATABASE dry_run_role')"],
    "a setting": ["with block(): op.execute(\"ALTER SYSTEM SET work_mem TO '5MB'\")"],
}
BLOCK = "block = op.get_context().autocommit_block"


@pytest.mark.parametrize("lines", OF_SERVER.values(), ids=OF_SERVER)
def test_nothing_that_databases_share_is_changed_on_their_server(
    shared: Project, lines: list[str]
) -> None:
    write(shared, "002_role", "001_users", "\n".join(f"    {line}" for line in [BLOCK, *lines]))
    done = run(shared, "dry-run")
    assert done.returncode == 1, done.stdout
    assert "which the server has for all databases" in done.stdout
    query = """
        SELECT rolname FROM pg_roles WHERE rolname = 'dry_run_role'
        UNION SELECT datname FROM pg_database WHERE datname = 'dry_run_role'
        UNION SELECT setting FROM pg_file_settings WHERE name = 'work_mem'"""
    assert fetch(shared.url, query) == []


def test_what_runs_outside_a_transaction_is_tried_on_any_server(
    shared: Project,
) -> None:
    lines = [
        BLOCK,
        "with block():",
        "    op.execute('CREATE INDEX CONCURRENTLY ix ON users (mood)')",
        "    op.execute('VACUUM users')",
        "    op.execute('REINDEX INDEX CONCURRENTLY ix')",
        "    op.execute(\"ALTER TYPE mood ADD VALUE 'so_so'\")",
        "    insert = sa.text('INSERT INTO users VALUES (:id)')",
        "    op.get_bind().execute(insert, [{'id': 1}, {'id': 2}])",
        "assert op.get_bind().exec_driver_sql('SELECT count(*) FROM users').scalar_one() == 2",
    ]
    write(shared, "002_index", "001_users", "\n".join(f"    {line}" for line in lines))
    assert [one["error"] for one in tried(shared)] == [None, None]


@pytest.mark.needs_server(min=18)
def test_what_databases_share_is_tried_on_a_server_of_its_own(project: Project) -> None:
    roles = "op.execute('CREATE ROLE dry_run_role')"
    write(project, "002_role", "001_users", f"    {BLOCK}\n    with block(): {roles}")
    assert [one["error"] for one in tried(project)] == [None, None]
    query = "SELECT count(*) FROM pg_roles WHERE rolname = 'dry_run_role'"
    assert fetch(project.url, query) == [(0,)]


def test_a_role_that_only_reads_can_do_it(project: Project) -> None:
    project.upgrade()
    write(project, "002_drop", "001_users", "    op.drop_table('users')")
    with role(
        project.url,
        "CREATEDB",
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ) as name:
        (project.path / "database_url").write_text(with_user(project.url, name))
        (one,) = tried(project)
    assert one["error"] is None
    assert one["statements"][0]["locks"]["public.users"] == "ACCESS EXCLUSIVE"


def test_the_target_is_not_written_to(tmp_path: Path, server_url: str, server_version: int) -> None:
    """On a server of its own, with the copy elsewhere, no transaction that writes is begun."""
    major = server_version // 10000
    tree = None if major == 18 else PostgresTree.at(newest_debian_tree())
    if tree is not None and tree.version[0] != major:
        pytest.skip(f"there is no second server of PostgreSQL {major}")
    with temporary_server(tree=tree, settings={"autovacuum": "off"}) as server:
        server.create_database("target")
        url = server.url("target")
        project = Project(tmp_path / "project", url, settings={"scratch_url": server_url})
        write(project, "001_users", None, USERS)
        project.upgrade()
        write(project, "002_drop", "001_users", "    op.drop_table('users')")
        before = next_transaction(url)
        (one,) = tried(project)
        assert one["error"] is None
        assert next_transaction(url) == before
        run_script(url, "CREATE TABLE written ()")
        assert next_transaction(url) > before


def test_no_other_way_leads_to_the_target(project: Project) -> None:
    """By `alembic.context` a revision reaches its connection, too."""
    project.upgrade()
    run_script(project.url, "INSERT INTO users VALUES (1)")
    by_context = """\
    from alembic import context
    context.get_bind().execute(sa.text("DELETE FROM users"))
    context.get_bind().commit()
    with context.get_context().autocommit_block():
        context.execute("DELETE FROM users")"""
    write(project, "002_context", "001_users", by_context)
    (one,) = tried(project)
    assert one["error"] is None
    with sa.create_engine(project.url, poolclass=NullPool).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM users")).scalar_one() == 1


def test_the_target_is_locked_by_nobody_meanwhile(project: Project) -> None:
    project.upgrade()
    look = f"""\
    engine = sa.create_engine({project.url!r})
    with engine.connect() as target:
        tables = "users, pgmigrations, pgmigrations_history"
        target.exec_driver_sql(f"LOCK TABLE {{tables}} IN ACCESS EXCLUSIVE MODE NOWAIT")
        in_the_way_of_vacuum = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND coalesce(backend_xid, backend_xmin) IS NOT NULL "
            "AND backend_type = 'client backend'"
        )
        assert target.exec_driver_sql(in_the_way_of_vacuum).scalar_one() == 0
    op.execute("SELECT 'it was looked'")"""
    write(project, "002_look", "001_users", look)
    (one,) = tried(project)
    assert one["error"] is None
    assert [sent["sql"] for sent in one["statements"]] == ["SELECT 'it was looked'"]
    ledger = "SELECT count(*) FROM pgmigrations_history WHERE revision = '002_look'"
    assert fetch(project.url, ledger) == [(0,)]


def test_the_help_has_examples(project: Project) -> None:
    assert "pgmigrations dry-run 004_notes --json" in run(project, "dry-run", "--help").stdout


def test_changed_code_is_refused_as_by_upgrade(project: Project) -> None:
    project.upgrade()
    write(project, "001_users", None, "    op.execute('SELECT 2')")
    write(project, "002_more", "001_users")
    assert run(project, "dry-run").returncode == 0
    ini = project.path / "alembic.ini"
    told = "[pgmigrations]\nrefuse_changed = true"
    ini.write_text(ini.read_text().replace("[pgmigrations]", told))
    refused = run(project, "dry-run")
    assert refused.returncode != 0
    assert "Changed since it was applied: 001_users" in refused.stdout + refused.stderr
