"""A database that a real node-pg-migrate has managed is taken over, and given back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.cli_commands import adopt as adopt_command
from pgmigrations.migrate.adopt import number_floor
from tests.support.database import Databases
from tests.support.dump import schema_dump, whole_dump
from tests.support.node_pg_migrate import install, run_node, write
from tests.support.oer_assistant import OER_ASSISTANT, write_oer_assistant
from tests.support.project import REPOSITORY, Project

MIGRATIONS = {
    "001_person.js": "pgm.createTable('person', {id: 'id', name: {type: 'text', notNull: true}})",
    "010_mood.js": "pgm.createType('mood', ['sad', 'happy'])",
    "010_person_mood.js": "pgm.addColumns('person', {mood: {type: 'mood'}})",
    "999_index.js": "pgm.createIndex('person', 'name', {name: 'ix_name'})",
}
BASELINE = """\
from __future__ import annotations
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from pgmigrations import op
revision, down_revision = "001_baseline", None

def upgrade():
    op.create_enum("mood", ["sad", "happy"])
    op.create_table(
        "person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mood", postgresql.ENUM(name="mood", create_type=False)),
        if_not_exists=True,
    )
    op.create_index("ix_name", "person", ["name"], if_not_exists=True)

def downgrade():
    pass
"""
LATER = """\
from __future__ import annotations
from pgmigrations import op
revision, down_revision = "002_later", "001_baseline"

def upgrade():
    op.execute("CREATE TABLE later (id int)")

def downgrade():
    op.execute("DROP TABLE later")
"""
MODELS = """\
from sqlalchemy import Column, Enum, Index, Integer, MetaData, Table, Text
metadata = MetaData()
Table(
    "person", metadata, Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False), Column("mood", Enum("sad", "happy", name="mood")),
    Index("ix_name", "name"),
)
"""

NodePgMigrate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node-pg-migrate is installed."""
    folder = tmp_path_factory.mktemp("node")
    install(folder)
    write(folder, MIGRATIONS)
    return folder


@pytest.fixture
def migrate(node: Path, database_url: str) -> NodePgMigrate:
    return lambda *arguments: run_node(node, database_url, *arguments)


@pytest.fixture
def project(tmp_path: Path, database_url: str, migrate: NodePgMigrate) -> Project:
    done = migrate("up")
    assert done.returncode == 0, done.stdout + done.stderr
    project = Project(tmp_path / "project", database_url).models(MODELS)
    (project.versions / "001_baseline.py").write_text(BASELINE)
    (project.versions / "002_later.py").write_text(LATER)
    return project


def adopt(
    project: Project,
    *keep: str,
    drop: Sequence[str] = (),
    reconcile: bool = False,
    undo: bool = False,
) -> None:
    config = Config(str(project.path / "alembic.ini"))
    config.attributes["configure_logger"] = False
    adopt_command(config, list(keep), list(drop), reconcile, undo)


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []


def test_it_is_adopted_with_its_rows_and_goes_on(project: Project, migrate: NodePgMigrate) -> None:
    with pytest.raises(CommandError, match="pgmigrations adopt"):
        project.upgrade()
    before = query(project.url, "SELECT id, name, run_on FROM pgmigrations ORDER BY id")
    assert len(before) == 4
    adopt(project)
    kept = "SELECT id, name, run_on FROM pgmigrations_history WHERE status = 'adopted' ORDER BY id"
    assert query(project.url, kept) == before
    assert query(project.url, "TABLE pgmigrations") == [("001_baseline",)]
    adopt(project)
    project.upgrade()
    assert query(project.url, "TABLE pgmigrations") == [("002_later",)]
    names = "SELECT relname::text FROM pg_class WHERE relname LIKE 'pgmigrations%' ORDER BY relname"
    assert query(project.url, names) == [
        ("pgmigrations",),
        ("pgmigrations_history",),
        ("pgmigrations_history_id_seq",),
        ("pgmigrations_history_pkey",),
        ("pgmigrations_pkc",),
    ]
    with pytest.raises(CommandError, match="after the adoption: 002_later"):
        adopt(project, undo=True)
    state = schema_dump(project.url)
    assert migrate("up").returncode != 0
    assert schema_dump(project.url) == state


TABLES = {
    "as node-pg-migrate makes it": "SELECT 1",
    "rows deleted": "DELETE FROM pgmigrations WHERE name LIKE '999%'",
    "no primary key": "ALTER TABLE pgmigrations DROP CONSTRAINT pgmigrations_pkey",
    "a default": "ALTER TABLE pgmigrations ALTER run_on SET DEFAULT now()",
    "rights on the sequence": "GRANT USAGE ON SEQUENCE pgmigrations_id_seq TO {role}",
    "rights on a column": "GRANT SELECT (name) ON pgmigrations TO {role}",
    "rights on a column beside the table's": "GRANT INSERT ON pgmigrations TO {role};"
    "GRANT SELECT (name), UPDATE (run_on) ON pgmigrations TO {role} WITH GRANT OPTION",
    "another owner": "ALTER TABLE pgmigrations OWNER TO {role}",
}


@pytest.fixture
def role(database_url: str) -> Iterator[str]:
    """A role of the server's for this test alone."""
    name = f"adopt_{make_url(database_url).database}"
    query(database_url, f"CREATE ROLE {name}")
    yield name
    query(database_url, f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_its_whole_dump_is_the_same_afterwards(project: Project, role: str, made: str) -> None:
    """Owners, rights, the sequence's position and rows included."""
    query(project.url, made.format(role=role))
    before = whole_dump(project.url)
    adopt(project)
    rights = "SELECT has_any_column_privilege(:role, 'pgmigrations_history', 'SELECT')"
    if "OWNER" not in made:
        assert query(project.url, rights.replace(":role", f"'{role}'")) == [(False,)]
    adopt(project, undo=True)
    assert whole_dump(project.url) == before


def test_a_right_that_was_passed_on_is_refused(project: Project, role: str) -> None:
    query(
        project.url,
        f"GRANT SELECT ON pgmigrations TO {role} WITH GRANT OPTION; SET ROLE {role};"
        "GRANT SELECT ON pgmigrations TO PUBLIC; RESET ROLE",
    )
    before = whole_dump(project.url)
    with pytest.raises(CommandError, match=f"{role} has passed SELECT .* on to PUBLIC"):
        adopt(project)
    assert whole_dump(project.url) == before


def test_it_may_go_back_after_a_downgrade_and_not_after_a_stamp(project: Project) -> None:
    before = whole_dump(project.url)
    adopt(project)
    project.upgrade()
    project.downgrade()
    adopt(project, undo=True)
    assert whole_dump(project.url) == before
    adopt(project)
    project.run("stamp", "002_later")
    with pytest.raises(CommandError, match="002_later"):
        adopt(project, undo=True)


def test_the_settings_go_into_their_section_if_there_is_one(project: Project) -> None:
    ini = project.path / "alembic.ini"
    text_ = ini.read_text()
    start, end = text_.index("[pgmigrations]"), text_.index("[", text_.index("[pgmigrations]") + 1)
    ini.write_text(text_[:start] + "[other]\nrevision_number_floor = 7\n\n" + text_[end:])
    adopt(project)
    written = ini.read_text()
    assert "[other]\nrevision_number_floor = 7\n" in written
    assert written.endswith("[pgmigrations]\nrevision_number_floor = 11\n")


def test_the_templates_schema_is_adopted(tmp_path: Path, database_url: str, node: Path) -> None:
    """The OER assistant's nineteen files: two `010_`, two `013_`, and a lone `999_`."""
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "node_modules").symlink_to(node / "node_modules")
    write_oer_assistant(folder)
    done = run_node(folder, database_url, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    query(database_url, "INSERT INTO example_table (name) VALUES ('kept')")
    models = (
        f"import sys\nsys.path.insert(0, {str(REPOSITORY)!r})\nfrom app.models import metadata\n"
    )
    project = Project(tmp_path / "project", database_url).models(models)
    for path in (REPOSITORY / "alembic" / "versions").glob("*.py"):
        shutil.copy(path, project.versions)
    before, rows = whole_dump(database_url), query(database_url, "TABLE pgmigrations")
    assert [name for _, name, _ in rows] == [*OER_ASSISTANT, "999_example_table"]
    with pytest.raises(CommandError, match=r"No model declares public\.example_table.*--keep"):
        adopt(project)
    assert whole_dump(database_url) == before
    adopt(project, "example_table")
    assert query(database_url, "TABLE pgmigrations") == [("001_initial_schema",)]
    written = (project.path / "alembic.ini").read_text().splitlines()
    assert {"revision_number_floor = 16", "ignore_tables = example_table"} <= set(written)
    assert run_node(folder, database_url, "up").returncode != 0
    adopt(project, undo=True)
    assert whole_dump(database_url) == before
    adopt(project)
    project.upgrade()
    assert project.check()
    kept = "SELECT id, name, run_on FROM pgmigrations_history WHERE status = 'adopted' ORDER BY id"
    assert query(database_url, kept) == rows
    assert query(database_url, "SELECT id, name FROM example_table") == [(1, "kept")]


def test_it_is_given_back_as_it_was(project: Project, migrate: NodePgMigrate) -> None:
    query(project.url, "GRANT SELECT, INSERT ON pgmigrations TO PUBLIC")
    query(project.url, "COMMENT ON TABLE pgmigrations IS 'node''s'")
    rights = "SELECT relname::text, relacl::text FROM pg_class WHERE relname LIKE 'pgmigrations%'"
    state, rows, granted = (
        schema_dump(project.url),
        query(project.url, "TABLE pgmigrations"),
        query(project.url, rights),
    )
    for _ in range(2):
        adopt(project)
        assert query(
            project.url,
            "SELECT has_table_privilege('pg_monitor', 'pgmigrations_history', 'SELECT')",
        ) == [(False,)]
        adopt(project, undo=True)
        assert schema_dump(project.url) == state
        assert query(project.url, "TABLE pgmigrations") == rows
        assert query(project.url, rights) == granted
    again = migrate("up")
    assert again.returncode == 0, again.stdout + again.stderr


def test_another_schema_is_refused(project: Project) -> None:
    query(project.url, "ALTER TABLE person ADD COLUMN more int")
    state = schema_dump(project.url)
    with pytest.raises(CommandError, match="column public person more"):
        adopt(project)
    assert schema_dump(project.url) == state


def test_another_schema_is_reconciled_by_a_revision(project: Project, databases: Databases) -> None:
    """On the adopted database it makes up for what differs, on a new one it does nothing."""
    (project.versions / "002_later.py").unlink()
    query(project.url, "ALTER TABLE person ADD COLUMN more int, ALTER name DROP NOT NULL")
    adopt(project, reconcile=True)
    assert query(project.url, "TABLE pgmigrations") == [("001_baseline",)]
    names = [path.name for path in project.revisions()]
    assert len(names) == 2
    assert names[1].endswith("_reconcile.py")
    project.upgrade()
    assert project.check()
    reconciled = schema_dump(project.url, exclude_tables=["pgmigrations*"])
    with databases.fresh() as url:
        project.on(url).upgrade()
        assert schema_dump(url, exclude_tables=["pgmigrations*"]) == reconciled


def test_a_table_of_nobodys_must_be_named(project: Project) -> None:
    query(project.url, "CREATE TABLE example_table (id int)")
    with pytest.raises(CommandError, match=r"No model declares public\.example_table.*--keep"):
        adopt(project)
    adopt(project, "example_table")
    written = (project.path / "alembic.ini").read_text().splitlines()
    assert "ignore_tables = example_table" in written
    assert [line for line in written if line.startswith("revision_number_floor")] == [
        "revision_number_floor = 11"
    ]
    query(project.url, "UPDATE pgmigrations SET version_num = '002_later'")
    assert project.check()


def test_a_run_of_the_other_tool_is_not_disturbed(project: Project) -> None:
    with create_engine(project.url, poolclass=NullPool).connect() as other:
        other.execute(text("SELECT pg_advisory_lock(7241865325823964)"))
        with pytest.raises(CommandError, match="node-pg-migrate holds its lock"):
            adopt(project)


@pytest.mark.parametrize(
    ("names", "floor"),
    [
        ([f"{number:03}_x" for number in range(1, 16)] + ["010_y", "999_last"], 16),
        (["1704110400000_users", "1704110500000_more"], None),
        (["001_a", "100_b", "101_c", "102_d"], 103),
        (["first"], None),
        ([], None),
    ],
)
def test_new_numbers_begin_after_the_old_ones(names: list[str], floor: int | None) -> None:
    assert number_floor(names) == floor
