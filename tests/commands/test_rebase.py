"""`pgmigrations rebase`: one of two branches is put behind the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgmigrations.run.manifest import FILE
from tests.migrate.test_target_unwritten import role, with_user
from tests.support.project import Project
from tests.support.script import run_script

REVISION = '''\
"""Add {table} 'äöü' "quoted"

Revision ID: {revision}
Revises: {shown}
Create Date: 2026-01-01

Follows {parent}, as revision = "{revision}" says.
"""

import sqlalchemy as sa
from pgmigrations import op

# revision = "{revision}"
größe = 1; revision = '{revision}'  # the id: {revision}
down_revision: str | None = ({parent!r})
branch_labels = {labels!r}
depends_on = {depends!r}

def upgrade():
    op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
    {more}

def downgrade():
    op.drop_table("{table}", if_exists=True)
'''


def write(
    project: Project,
    revision: str,
    parent: str | None,
    *,
    labels: str | None = None,
    depends: str | None = None,
    more: str = "pass",
) -> Path:
    path = project.versions / f"{revision}.py"
    text = REVISION.format(
        revision=revision,
        parent=parent,
        shown=parent or "",
        table=f"t_{revision}",
        labels=labels,
        depends=depends,
        more=more,
    )
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path / "project", database_url)
    write(project, "003_base", None)
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


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.versions.iterdir() if path.is_file()}


def refused(project: Project, *arguments: str) -> str:
    """Run it, and make sure that it is refused and has changed nothing."""
    before = contents(project)
    done = run(project, "rebase", *arguments)
    assert done.returncode != 0, done.stdout
    assert contents(project) == before
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    assert lines[0].startswith("FAILED: "), done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(" ".join(lines).split())


def branches(project: Project) -> None:
    """Main has 004 and 005, applied; somebody else has a 004 and a 005 of the same 003."""
    write(project, "004_a", "003_base")
    write(project, "005_a", "004_a")
    project.upgrade()
    write(project, "004_b", "003_base")
    write(project, "005_bb", "004_b")


def test_the_branch_that_is_not_applied_is_put_behind_the_other(project: Project) -> None:
    branches(project)
    before = contents(project)
    assert "have the same number" in run(project, "status").stdout
    done = run(project, "rebase")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "004_b.py is now 006_b.py, and follows 005_a",
        "005_bb.py is now 007_bb.py, and follows 006_b",
        "Proved on a copy: the upgrade runs, and the downgrade leads back",
    ]
    after = contents(project)
    assert sorted(after) == ["003_base.py", "004_a.py", "005_a.py", "006_b.py", "007_bb.py"]
    assert {name: after[name] for name in before if name in after} == {
        name: before[name] for name in before if name in after
    }
    for old, new, parent, new_parent in (
        ("004_b", "006_b", "003_base", "005_a"),
        ("005_bb", "007_bb", "004_b", "006_b"),
    ):
        expected = before[f"{old}.py"].decode()
        for one, other in (
            (f"Revision ID: {old}\r\n", f"Revision ID: {new}\r\n"),
            (f"Revises: {parent}\r\n", f"Revises: {new_parent}\r\n"),
            (f"1; revision = '{old}'", f"1; revision = '{new}'"),
            (f"= ('{parent}')", f"= ('{new_parent}')"),
        ):
            assert expected.count(one) == 1
            expected = expected.replace(one, other)
        assert after[f"{new}.py"].decode() == expected
    assert run(project, "upgrade").returncode == 0
    assert run(project, "status").returncode == 0


def test_where_none_is_applied_one_must_be_named(project: Project) -> None:
    project.upgrade()
    write(project, "004_a", "003_base")
    write(project, "004_b", "003_base")
    said = refused(project)
    assert "None of 004_a and 004_b is applied" in said
    done = run(project, "rebase", "004_a")
    assert done.returncode == 0, done.stdout
    assert sorted(contents(project)) == ["003_base.py", "004_b.py", "005_a.py"]
    assert run(project, "upgrade").returncode == 0


def test_a_database_without_any_revision_will_do(project: Project) -> None:
    write(project, "004_a", "003_base")
    write(project, "004_b", "003_base")
    assert run(project, "rebase", "004_b").returncode == 0
    assert sorted(contents(project)) == ["003_base.py", "004_a.py", "005_b.py"]


def test_timestamps_are_given_anew(tmp_path: Path, database_url: str) -> None:
    settings = {"revision_names": "timestamp"}
    project = Project(tmp_path / "project", database_url, settings=settings)
    write(project, "1700000000000_base", None)
    write(project, "1700000000002_a", "1700000000000_base")
    project.upgrade()
    write(project, "1700000000001_b", "1700000000000_base")
    assert run(project, "rebase").returncode == 0
    *_, last = sorted(contents(project))
    assert last.endswith("_b.py")
    assert int(last.partition("_")[0]) > 1700000000002


def test_a_number_above_all_others_stays(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    write(project, "006_b", "003_base")
    done = run(project, "rebase")
    assert done.stdout.startswith("006_b.py follows 004_a\n")
    assert run(project, "upgrade").returncode == 0


def test_one_head_is_nothing_to_rebase(project: Project) -> None:
    assert "nothing to rebase" in refused(project)


def test_what_is_applied_stays(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    write(project, "004_b", "003_base")
    assert "004_a is applied" in refused(project, "004_a")
    assert "003_base is on no branch of its own" in refused(project, "003_base")


def test_what_the_ledger_says_is_applied_stays(project: Project) -> None:
    write(project, "004_b", "003_base")
    project.upgrade()
    write(project, "004_a", "003_base")
    run_script(project.url, "UPDATE pgmigrations SET version_num = '003_base'")
    assert "004_b is applied" in refused(project, "004_b")


def test_merges_labels_and_dependencies_are_refused(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    label = write(project, "004_b", "003_base", labels="mine")
    assert "branch_labels" in refused(project)
    label.unlink()
    write(project, "004_b", "003_base")
    other = write(project, "005_a", "004_a", depends="004_b")
    assert "005_a depends on 004_b" in refused(project, "004_b")
    other.unlink()
    write(project, "004_c", "003_base")
    merge = write(project, "005_merge", None)
    text = merge.read_text().replace("(None)", "('004_b', '004_c')")
    merge.write_text(text)
    assert "005_merge joins two branches" in refused(project)


def test_a_file_that_assigns_no_text_is_refused(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    path = write(project, "004_b", "003_base")
    path.write_bytes(path.read_bytes() + b"\r\nrevision = '004_b'\r\n")
    assert "004_b.py does not assign revision once" in refused(project)


def test_a_name_that_is_taken_is_refused(project: Project) -> None:
    branches(project)
    (project.versions / "006_b.py").mkdir()
    assert "006_b.py is there already" in refused(project)


def test_a_proof_that_fails_is_told_and_the_files_stay(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    write(project, "004_b", "003_base", more="op.execute('CREATE SEQUENCE left_over')")
    done = run(project, "rebase")
    assert done.returncode != 0
    assert "The downgrade of 005_b does not lead back" in done.stdout
    assert "left_over" in done.stdout
    assert sorted(contents(project)) == ["003_base.py", "004_a.py", "005_b.py"]


def test_a_revision_that_does_not_fit_behind_the_other_fails_the_proof(project: Project) -> None:
    write(project, "004_a", "003_base", more="op.drop_table('t_003_base')")
    project.upgrade()
    more = "op.add_column('t_003_base', sa.Column('x', sa.Integer), if_not_exists=True)"
    write(project, "004_b", "003_base", more=more)
    done = run(project, "rebase")
    assert done.returncode != 0
    assert "in revision 005_b" in done.stdout
    assert "t_003_base" in done.stdout


def test_the_manifest_is_renewed(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    assert run(project, "manifest").returncode == 0
    write(project, "004_b", "003_base")
    assert run(project, "rebase").returncode == 0
    assert "005_b" in (project.path / FILE).read_text()


def test_a_role_that_only_reads_can_do_it(project: Project) -> None:
    branches(project)
    with role(
        project.url,
        "CREATEDB",
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
    ) as name:
        (project.path / "database_url").write_text(with_user(project.url, name))
        assert "Proved" in run(project, "rebase").stdout


def test_a_revision_that_is_not_repeatable_fails_the_proof(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    more = "op.add_column('t_003_base', sa.Column('x', sa.Integer))"
    path = write(project, "004_b", "003_base", more=more)
    down = "def downgrade():\r\n    op.drop_column('t_003_base', 'x')"
    path.write_bytes(path.read_bytes().replace(b"def downgrade():", down.encode()))
    done = run(project, "rebase")
    assert done.returncode != 0
    assert "in the second run of revision 005_b" in done.stdout


def test_what_is_written_by_hand_is_not_run_twice(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    more = "op.execute('CREATE SEQUENCE numbers')"
    path = write(project, "004_b", "003_base", more=more)
    down = "def downgrade():\r\n    op.execute('DROP SEQUENCE numbers')"
    path.write_bytes(path.read_bytes().replace(b"def downgrade():", down.encode()))
    done = run(project, "rebase")
    assert done.returncode == 0, done.stdout
    assert "005_b has SQL written by hand: it is not run a second time" in done.stdout


def test_the_help_has_examples(project: Project) -> None:
    assert "pgmigrations rebase 004_notes" in run(project, "rebase", "--help").stdout


def test_two_of_one_number_that_are_both_applied_are_joined(project: Project) -> None:
    write(project, "004_a", "003_base")
    project.upgrade()
    (project.versions / "004_a.py").rename(project.path / "aside")
    write(project, "004_b", "003_base")
    project.run("stamp", "--purge", "003_base")
    project.upgrade("004_b")
    (project.path / "aside").rename(project.versions / "004_a.py")
    run_script(project.url, "INSERT INTO pgmigrations VALUES ('004_a')")
    assert "alembic merge heads" in run(project, "status").stdout
    done = run(project, "merge", "heads", "-m", "both", "--rev-id", "005_both")
    assert done.returncode == 0, done.stdout + done.stderr
    project.upgrade()
    assert run(project, "status").returncode == 0
