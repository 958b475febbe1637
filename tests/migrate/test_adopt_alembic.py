"""A database that plain Alembic has managed is taken over, and given back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from benchmarks.revisions import write_plain
from pgmigrations.cli_commands import adopt as adopt_command
from pgmigrations.run.adoption_of_alembic import AlembicRows, RowsMoved, take_over
from pgmigrations.run.ledger_table import LedgerTable
from tests.support.database import Databases
from tests.support.dump import whole_dump
from tests.support.project import Project

MODELS = """\
from sqlalchemy import Column, Integer, MetaData, Table, Text
metadata = MetaData()
for number in (1, 2, 3):
    Table(f"part_{number}", metadata, Column("id", Integer, primary_key=True),
          Column("title", Text, nullable=False))
"""
MORE = """\
from pgmigrations import op
revision, down_revision = "0004_more", "0003_add_table_3"

def upgrade():
    op.execute("CREATE TABLE more (id int)")

def downgrade():
    op.execute("DROP TABLE more")
"""


class Plain:
    """A project of plain Alembic's."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        write_plain(folder, 3)

    def alembic(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=os.environ | {"DATABASE_URL": self.url},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def plain(tmp_path: Path, database_url: str) -> Plain:
    made = Plain(tmp_path / "plain", database_url)
    done = made.alembic("upgrade", "head")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def project(tmp_path: Path, database_url: str, plain: Plain) -> Project:
    """One that goes on with the same revisions."""
    project = Project(tmp_path / "project", database_url).models(MODELS)
    for file in (plain.folder / "versions").glob("*.py"):
        shutil.copy(file, project.versions)
    return project


def adopt(
    project: Project, *, keep: Sequence[str] = (), drop: Sequence[str] = (), undo: bool = False
) -> None:
    config = Config(str(project.path / "alembic.ini"))
    config.attributes["configure_logger"] = False
    adopt_command(config, list(keep), list(drop), False, undo)


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []


def test_its_revisions_are_taken_over_and_go_on(project: Project, plain: Plain) -> None:
    with pytest.raises(CommandError, match="pgmigrations adopt"):
        project.upgrade()
    adopt(project)
    ledger = "SELECT revision, name, status, length(checksum) FROM pgmigrations_history ORDER BY id"
    names = [f"000{number}_add_table_{number}" for number in (1, 2, 3)]
    assert rows(project.url, ledger) == [(name, name, "adopted", 32) for name in names]
    assert rows(project.url, "TABLE pgmigrations") == [("0003_add_table_3",)]
    assert project.check()
    (project.versions / "0004_more.py").write_text(MORE)
    project.upgrade()
    assert rows(project.url, "TABLE pgmigrations") == [("0004_more",)]
    failed = plain.alembic("upgrade", "head")
    assert failed.returncode != 0
    assert "adopted_by_pgmigrations" in failed.stderr + failed.stdout
    with pytest.raises(CommandError, match=r"has moved on.*0004_more"):
        adopt(project, undo=True)


def test_an_upgrade_to_an_earlier_revision_is_refused_before_it_is_adopted(
    project: Project,
) -> None:
    """In a project without models, too, where the tables say nothing."""
    project.models("from sqlalchemy import MetaData\nmetadata = MetaData()\n")
    with pytest.raises(CommandError, match="pgmigrations adopt"):
        project.upgrade("0001_add_table_1")


def test_its_whole_dump_is_the_same_afterwards(project: Project, plain: Plain) -> None:
    before = whole_dump(project.url)
    adopt(project)
    assert whole_dump(project.url) != before
    adopt(project)
    adopt(project, undo=True)
    assert whole_dump(project.url) == before
    assert plain.alembic("upgrade", "head").returncode == 0


def test_two_heads_are_taken_over(project: Project) -> None:
    other = project.versions / "0004_other.py"
    other.write_text(
        MORE.replace("0004_more", "0004_other").replace("0003_add_table_3", "0001_add_table_1")
    )
    rows(project.url, "INSERT INTO alembic_version VALUES ('0004_other')")
    adopt(project)
    heads = rows(project.url, "SELECT version_num FROM pgmigrations ORDER BY 1")
    assert heads == [("0003_add_table_3",), ("0004_other",)]


def test_a_history_that_is_left_behind_is_recognised_by_its_schema(
    project: Project, plain: Plain
) -> None:
    for file in project.revisions():
        file.unlink()
    project.on(project.url)
    baseline = project.versions / "001_baseline.py"
    tables = "".join(
        f"    op.create_table('part_{number}', sa.Column('id', sa.Integer, primary_key=True), "
        f"sa.Column('title', sa.Text, nullable=False), if_not_exists=True)\n"
        for number in (1, 2, 3)
    )
    baseline.write_text(
        "import sqlalchemy as sa\nfrom pgmigrations import op\n"
        f"revision, down_revision = '001_baseline', None\n\ndef upgrade():\n{tables}\n"
        "def downgrade():\n    pass\n"
    )
    adopt(project)
    assert rows(project.url, "TABLE pgmigrations") == [("001_baseline",)]
    assert project.check()


def test_tables_of_nobodys_are_kept_or_dropped_by_name(project: Project) -> None:
    rows(project.url, "CREATE TABLE old (id int); CREATE TABLE older (id int)")
    with pytest.raises(CommandError, match=r"public\.old, public\.older.*--drop"):
        adopt(project)
    with pytest.raises(CommandError, match=r"what a model declares: public\.part_1"):
        adopt(project, drop=["part_1"])
    adopt(project, keep=["old"], drop=["older"])
    assert rows(project.url, "SELECT to_regclass('old')::text, to_regclass('older')::text") == [
        ("old", None)
    ]
    assert project.check()


def test_the_rows_of_another_application_are_left_alone(
    project: Project, databases: Databases
) -> None:
    """They stop nobody before anything of this one is there; then none can tell whose they are."""
    rows(project.url, "UPDATE alembic_version SET version_num = 'airflows'")
    with pytest.raises(CommandError, match="pgmigrations stamp"):
        project.upgrade()
    with databases.fresh() as url:
        rows(url, "CREATE TABLE alembic_version (version_num varchar(32))")
        rows(url, "INSERT INTO alembic_version VALUES ('airflows')")
        project.on(url).upgrade()
        assert rows(url, "TABLE alembic_version") == [("airflows",)]
        assert rows(url, "TABLE pgmigrations") == [("0003_add_table_3",)]


def test_an_adoption_is_not_undone_over_what_plain_alembic_wrote_since(project: Project) -> None:
    adopt(project)
    rows(project.url, "UPDATE alembic_version SET version_num = '0001_add_table_1'")
    with pytest.raises(CommandError, match="it holds 0001_add_table_1"):
        adopt(project, undo=True)


def test_what_is_kept_is_written_down_again(project: Project) -> None:
    """Else what a killed adoption has not written is dropped by the next revision."""
    rows(project.url, "CREATE TABLE old (id int)")
    ini = project.path / "alembic.ini"
    before = ini.read_text()
    adopt(project, keep=["old"])
    ini.write_text(before)
    adopt(project, keep=["old"])
    assert "ignore_tables = old" in ini.read_text()
    assert project.check()


def test_what_cannot_be_meant_is_refused(project: Project) -> None:
    rows(project.url, "CREATE TABLE old (id int)")
    for keep, drop, said in (
        (["old"], ["old"], "To be kept and to be dropped: old"),
        (["my table"], [], "cannot name 'my table'"),
        (["part_1"], [], r"what a model declares: public\.part_1"),
        (["nothing"], [], r"what a model declares: public\.nothing"),
    ):
        with pytest.raises(CommandError, match=said):
            adopt(project, keep=keep, drop=drop)
    assert rows(project.url, "SELECT to_regclass('pgmigrations')::text") == [(None,)]


def test_a_name_with_a_percent_sign_is_kept(project: Project) -> None:
    rows(project.url, 'CREATE TABLE "50%off" (id int)')
    adopt(project, keep=["50%off"])
    assert "ignore_tables = 50%%off" in (project.path / "alembic.ini").read_text()
    assert project.check()


def test_tables_that_refer_to_each_other_are_dropped_together(project: Project) -> None:
    rows(project.url, "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE z (id int REFERENCES p)")
    adopt(project, drop=["p", "z"])
    assert rows(project.url, "SELECT to_regclass('p')::text, to_regclass('z')::text") == [
        (None, None)
    ]


def test_rows_of_two_applications_are_told_apart(project: Project) -> None:
    rows(project.url, "INSERT INTO alembic_version VALUES ('airflows')")
    with pytest.raises(CommandError, match=r"name no revision here: airflows"):
        adopt(project)


def test_its_table_is_found_in_another_schema(project: Project, database_url: str) -> None:
    rows(database_url, "CREATE SCHEMA ops")
    ini = project.path / "alembic.ini"
    ini.write_text(
        ini.read_text().replace("[pgmigrations]", "[pgmigrations]\nversion_table_schema = ops")
    )
    with pytest.raises(CommandError, match="pgmigrations adopt"):
        project.upgrade()
    before = whole_dump(project.url)
    adopt(project)
    assert rows(database_url, "TABLE ops.pgmigrations") == [("0003_add_table_3",)]
    assert rows(database_url, "TABLE alembic_version") == [("adopted_by_pgmigrations",)]
    adopt(project, undo=True)
    assert whole_dump(project.url) == before


def test_a_run_of_plain_alembic_meanwhile_is_noticed(project: Project) -> None:
    ledger = LedgerTable("public", "pgmigrations")
    stale = AlembicRows("public", ("0001_add_table_1",))
    with create_engine(project.url, poolclass=NullPool).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        with pytest.raises(RowsMoved):
            take_over(driver, ledger, stale, [], ["0001_add_table_1"])


def test_nobody_queues_long_behind_an_adoption(project: Project) -> None:
    with create_engine(project.url, poolclass=NullPool).connect() as reader:
        reader.execute(text("TABLE alembic_version"))
        began = time.monotonic()
        with pytest.raises(CommandError, match="lock"):
            adopt(project)
        assert time.monotonic() - began < 10
    adopt(project)


def test_without_a_revision_file_there_is_nothing_to_adopt_at(project: Project) -> None:
    for file in project.revisions():
        file.unlink()
    with pytest.raises(CommandError, match="no revision file yet"):
        adopt(project)


def test_without_a_table_of_either_tool_it_is_said(tmp_path: Path, database_url: str) -> None:
    with pytest.raises(CommandError, match="There is nothing to adopt"):
        adopt(Project(tmp_path / "project", database_url))


BRANCH = """\
from pgmigrations import op
import sqlalchemy as sa
revision, down_revision = {name!r}, {parent!r}

def upgrade():
    op.create_table({table!r}, sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("title", sa.Text, nullable=False), if_not_exists=True)

def downgrade():
    pass
"""


def test_every_head_is_recognised(project: Project) -> None:
    for file in project.revisions():
        file.unlink()
    for name, parent, table in (
        ("001_one", None, "part_1"),
        ("002_two", "001_one", "part_2"),
        ("003_three", "001_one", "part_3"),
    ):
        body = BRANCH.format(name=name, parent=parent, table=table)
        (project.versions / f"{name}.py").write_text(body)
    adopt(project)
    heads = rows(project.url, "SELECT version_num FROM pgmigrations ORDER BY 1")
    assert heads == [("002_two",), ("003_three",)]
