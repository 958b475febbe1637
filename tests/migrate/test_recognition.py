"""A database whose version rows are gone is recognised, and nothing is run on it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tests.support.dump import schema_dump
from tests.support.project import Project

FIRST = """
from __future__ import annotations
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = "001_first", None

def upgrade():
    op.create_enum("mood", ["sad", "happy"])
    op.create_table(
        "person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("year", sa.Integer),
        if_not_exists=True,
    )
    op.create_index("ix_year", "person", ["year"], if_not_exists=True)

def downgrade():
    op.drop_table("person", if_exists=True)
    op.drop_enum("mood")
"""
SECOND = """
from __future__ import annotations
import sqlalchemy as sa
from pgmigrations import op
revision, down_revision = "002_second", "001_first"

def upgrade():
    op.drop_index("ix_year", table_name="person", if_exists=True)
    op.drop_column("person", "year", if_exists=True)
    op.add_enum_value("mood", "ok", after="sad")
    op.add_column("person", sa.Column("born", sa.Date), if_not_exists=True)

def downgrade():
    op.drop_column("person", "born", if_exists=True)
"""
DATA = """
from __future__ import annotations
from pgmigrations import op
revision, down_revision = "003_data", "002_second"

def upgrade():
    op.execute("INSERT INTO person (id) VALUES (1) ON CONFLICT DO NOTHING")

def downgrade():
    pass
"""
MODELS = """
from sqlalchemy import Column, Date, Integer, MetaData, Table
metadata = MetaData()
Table("person", metadata, Column("id", Integer, primary_key=True), Column("born", Date))
"""


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    project = Project(tmp_path, database_url).models(MODELS)
    for name, body in (("001_first", FIRST), ("002_second", SECOND), ("003_data", DATA)):
        (project.versions / f"{name}.py").write_text(body)
    return project


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connected:
        yield connected


def version(url: str) -> list[str]:
    with connection(url) as connected:
        return list(connected.execute(text("SELECT version_num FROM pgmigrations")).scalars())


def forget(url: str) -> None:
    with connection(url) as connected:
        connected.execute(text("DELETE FROM pgmigrations"))


def scratch_databases(url: str) -> list[str]:
    with connection(url) as connected:
        names = connected.execute(text("SELECT datname FROM pg_database"))
        oid = connected.execute(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        ).scalar_one()
        return [name for name in names.scalars() if name.startswith(f"pgm_scratch_{oid}_")]


def test_a_database_at_head_stays_as_it_is(project: Project, database_url: str) -> None:
    project.upgrade()
    before = schema_dump(database_url)
    forget(database_url)
    project.upgrade()
    assert version(database_url) == ["003_data"]
    assert schema_dump(database_url) == before
    assert scratch_databases(database_url) == []


def test_the_version_table_may_be_gone_too(project: Project, database_url: str) -> None:
    project.upgrade()
    before = schema_dump(database_url)
    with connection(database_url) as connected:
        connected.execute(text("DROP TABLE pgmigrations"))
    project.upgrade()
    assert version(database_url) == ["003_data"]
    assert schema_dump(database_url) == before


def test_what_matches_is_not_run_again(project: Project, database_url: str) -> None:
    project.upgrade("002_second")
    forget(database_url)
    first = project.versions / "001_first.py"
    first.write_text(first.read_text().replace("def upgrade():", "def upgrade():\n    mark()"))
    first.write_text(
        first.read_text()
        + "\ndef mark():\n"
        + "    bind = op.get_bind()\n"
        + "    name = bind.exec_driver_sql('select current_database()').scalar_one()\n"
        + "    assert name.startswith('pgm_scratch_'), name\n"
    )
    project.upgrade()
    assert version(database_url) == ["003_data"]


def test_an_older_database_goes_on_from_where_it_is(project: Project, database_url: str) -> None:
    project.upgrade("001_first")
    forget(database_url)
    project.upgrade("002_second")
    assert version(database_url) == ["002_second"]
    with connection(database_url) as connected:
        columns = connected.execute(
            text(
                "SELECT string_agg(attname, ',') FROM pg_attribute "
                "WHERE attrelid = 'person'::regclass AND attnum > 0 AND NOT attisdropped"
            )
        ).scalar_one()
    assert columns == "id,born"


def test_a_data_migration_behind_the_match_runs_again(project: Project, database_url: str) -> None:
    project.upgrade("002_second")
    forget(database_url)
    project.upgrade()
    with connection(database_url) as connected:
        assert connected.execute(text("SELECT id FROM person")).scalars().all() == [1]


def test_other_peoples_tables_do_not_matter(project: Project, database_url: str) -> None:
    with connection(database_url) as connected:
        connected.execute(text("CREATE TABLE somebody_elses (a int)"))
    project.upgrade()
    forget(database_url)
    project.upgrade()
    assert version(database_url) == ["003_data"]


def test_a_first_run_among_other_peoples_tables_needs_no_scratch_database(
    project: Project, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with connection(database_url) as connected:
        connected.execute(text("CREATE TABLE somebody_elses (a int)"))
    with caplog.at_level("INFO", "pgmigrations"):
        project.upgrade()
    assert "looking which revision" not in caplog.text
    assert version(database_url) == ["003_data"]


def test_a_half_built_database_is_finished(project: Project, database_url: str) -> None:
    with connection(database_url) as connected:
        connected.execute(text("CREATE TYPE mood AS ENUM ('sad', 'happy')"))
        connected.execute(text("CREATE TABLE person (id serial PRIMARY KEY, year int)"))
    project.upgrade()
    assert version(database_url) == ["003_data"]


def test_a_role_that_may_create_no_database_is_told_of_stamp(
    project: Project, database_url: str
) -> None:
    project.upgrade()
    forget(database_url)
    role = make_url(database_url).database
    with connection(database_url) as connected:
        connected.execute(text(f'CREATE ROLE "{role}" LOGIN'))
        connected.execute(text(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"'))
    try:
        (project.path / "database_url").write_text(
            make_url(database_url).set(username=role).render_as_string(hide_password=False)
        )
        with pytest.raises(CommandError, match="alembic stamp") as refused:
            project.upgrade()
        assert "may not create the scratch database" in str(refused.value)
        assert version(database_url) == []
    finally:
        with connection(database_url) as connected:
            connected.execute(text(f'DROP OWNED BY "{role}"'))
            connected.execute(text(f'DROP ROLE "{role}"'))


def test_a_branched_history_is_recognised(project: Project, database_url: str) -> None:
    (project.versions / "004_side.py").write_text(
        "from pgmigrations import op\nimport sqlalchemy as sa\n"
        'revision, down_revision = "004_side", "001_first"\n'
        'def upgrade():\n    op.create_table("side", sa.Column("a", sa.Integer))\n'
        'def downgrade():\n    op.drop_table("side")\n'
    )
    (project.versions / "005_merge.py").write_text(
        'revision, down_revision = "005_merge", ("003_data", "004_side")\n'
        "def upgrade():\n    pass\ndef downgrade():\n    pass\n"
    )
    project.upgrade()
    before = schema_dump(database_url)
    forget(database_url)
    project.upgrade()
    assert version(database_url) == ["005_merge"]
    assert schema_dump(database_url) == before


def test_leftovers_of_a_killed_run_are_dropped(project: Project, database_url: str) -> None:
    project.upgrade()
    forget(database_url)
    with connection(database_url) as connected:
        oid = connected.execute(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        ).scalar_one()
        connected.execute(text(f"CREATE DATABASE pgm_scratch_{oid}_1_abandoned"))
        held = f"pgm_scratch_{oid}_2_in_use"
        connected.execute(
            text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": held}
        )
        connected.execute(text(f"CREATE DATABASE {held}"))
        try:
            project.upgrade()
            assert scratch_databases(database_url) == [held]
        finally:
            connected.execute(text(f"DROP DATABASE {held}"))


def test_the_log_of_the_replay_is_not_shown(
    project: Project, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    project.upgrade()
    forget(database_url)
    caplog.clear()
    with caplog.at_level("INFO"):
        project.upgrade()
    running = [line for line in caplog.messages if line.startswith("Running")]
    assert running == [
        "Running record  -> 001_first",
        "Running record 001_first -> 002_second",
        "Running upgrade 002_second -> 003_data",
    ]
    assert any("is at 002_second" in line for line in caplog.messages)


def test_a_database_that_drifted_is_refused_and_keeps_its_data(
    project: Project, database_url: str
) -> None:
    project.upgrade()
    forget(database_url)
    with connection(database_url) as connected:
        connected.execute(text("UPDATE person SET born = '2000-01-01'"))
        connected.execute(text("COMMENT ON TABLE person IS 'changed by hand'"))
    before = schema_dump(database_url)
    with pytest.raises(CommandError, match="nearest to 003_data, but for table public person"):
        project.upgrade()
    assert schema_dump(database_url) == before
    with connection(database_url) as connected:
        assert connected.execute(text("SELECT born::text FROM person")).scalar() == "2000-01-01"


def test_a_schema_made_by_hand_does_not_hinder(tmp_path: Path, database_url: str) -> None:
    with connection(database_url) as connected:
        connected.execute(text("CREATE SCHEMA other"))
    project = Project(tmp_path, database_url).models(
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        "metadata = MetaData()\n"
        'Table("t", metadata, Column("id", Integer, primary_key=True), schema="other")\n'
    )
    project.autogenerate("first")
    project.upgrade()
    forget(database_url)
    before = schema_dump(database_url)
    project.upgrade()
    assert schema_dump(database_url) == before
    assert version(database_url) == ["001_first"]
