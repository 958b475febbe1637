"""A revision is run on a copy of the schema before it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DDL

from pgmigrations.migrate.core import dump as dump_module
from tests.support.dump import schema_dump
from tests.support.project import REPOSITORY, Project

# A project's own hook that loses an operation of the upgrade.
FORGETFUL = """
def forget(migration, revision, scripts):
    for script in scripts:
        script.upgrade_ops.ops[:] = [
            one for one in script.upgrade_ops.ops if type(one).__name__ != "{name}"
        ]


def run_offline"""


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def dump(project: Project) -> str:
    return schema_dump(project.url, exclude_tables=["pgmigrations*"])


def one_table(*elements: Any, **keywords: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    column = sa.Column("id", sa.Integer, primary_key=True)
    sa.Table("one", metadata, column, *elements, **keywords)
    return metadata


def after_create(metadata: sa.MetaData, sql: str) -> sa.MetaData:
    sa.event.listen(metadata, "after_create", DDL(sql))  # type: ignore[no-untyped-call]
    return metadata


def forgetting(project: Project, name: str) -> Project:
    env = project.path / "alembic" / "env.py"
    text = env.read_text()
    assert text.count("configure_arguments(metadata)") == 2
    text = text.replace(
        "configure_arguments(metadata)",
        "configure_arguments(metadata, process_revision_directives=forget)",
    )
    env.write_text(text.replace("def run_offline", FORGETFUL.format(name=name)))
    return project


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE one ALTER COLUMN note SET STORAGE EXTERNAL",
        "ALTER TABLE one ENABLE ROW LEVEL SECURITY",
        "COMMENT ON CONSTRAINT one_pkey ON one IS 'The key'",
        "ALTER TABLE one REPLICA IDENTITY FULL",
        "ALTER TABLE one ALTER COLUMN note SET STATISTICS 7",
    ],
)
def test_what_create_table_cannot_say_is_in_the_same_revision(sql: str, project: Project) -> None:
    metadata = after_create(one_table(sa.Column("note", sa.Text)), sql)
    assert project.models(metadata).autogenerate() is not None
    project.upgrade()
    assert project.check()


def test_a_dropped_table_comes_back_with_its_settings(project: Project) -> None:
    project.models(one_table(postgresql_with={"fillfactor": 70})).autogenerate()
    project.upgrade()
    before = dump(project)
    assert project.models(sa.MetaData()).autogenerate() is not None
    project.upgrade()
    project.downgrade()
    assert dump(project) == before


def test_a_revision_that_fails_is_written_and_says_why(project: Project) -> None:
    forgetting(project, "AddColumnOp").models(one_table()).autogenerate()
    project.upgrade()
    project.models(one_table(sa.Column("note", sa.Text), sa.Index("one_index", "id")))
    with pytest.raises(CommandError, match=r"002_change is written, but failed its proof.*note"):
        project.autogenerate()
    text = project.revisions()[-1].read_text()
    assert "This revision failed its proof" in text
    assert "column public.one.note" in text
    assert "add_column" not in text


@pytest.mark.parametrize("how", ["setting", "option"])
def test_the_proof_can_be_switched_off(how: str, project: Project) -> None:
    forgetting(project, "CreateTableOp")
    project.models(one_table(sa.Index("one_index", "id")))
    if how == "setting":
        ini = project.path / "alembic.ini"
        ini.write_text(ini.read_text().replace("[pgmigrations]\n", "[pgmigrations]\nprove = no\n"))
        assert project.autogenerate() is not None
    else:
        project.run("-x", "prove=false", "revision", "--autogenerate", "-m", "change")
        assert len(project.revisions()) == 1


def test_without_pg_dump_the_revisions_are_run_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.models(one_table()).autogenerate()
    project.upgrade()
    monkeypatch.setattr(dump_module, "_programs", lambda: iter(()))
    assert project.models(one_table(sa.Column("note", sa.Text))).autogenerate() is not None
    by_hand(project.url, "CREATE TABLE other ()")
    project.upgrade()
    project.models(one_table())
    with pytest.raises(CommandError, match=r"no pg_dump for PostgreSQL.*prove"):
        project.autogenerate()


def test_the_target_is_not_written_to(project: Project) -> None:
    project.models(one_table(sa.Column("note", sa.Text))).autogenerate()
    project.upgrade()
    by_hand(project.url, "INSERT INTO one VALUES (1, 'a')")
    before = dump(project), written_to(project.url)
    project.models(one_table(sa.Index("one_index", "id"))).autogenerate()
    for revision in project.revisions()[1:]:
        revision.unlink()
    assert not project.check()
    assert (dump(project), written_to(project.url)) == before


def by_hand(url: str, sql: str) -> None:
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(sql)


def written_to(url: str) -> list[Any]:
    """Read what a write would move: rows of the catalogs, counters, and the next transaction."""
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        row = connection.exec_driver_sql(
            "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database"
            " WHERE datname = current_database()"
        ).one()
        rows = connection.exec_driver_sql(
            "SELECT max(xmin::text::bigint), count(*) FROM pg_class UNION ALL"
            " SELECT max(xmin::text::bigint), count(*) FROM pg_attribute"
        )
        return [tuple(row), *map(tuple, rows)]


def test_the_repositorys_settings_leave_the_proof_on() -> None:
    assert "prove" not in (REPOSITORY / "alembic.ini").read_text()
