"""What plain Alembic does not see, invents or stumbles over in columns and tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import JSON, Column, Computed, Identity, Integer, MetaData, String, Table, text
from sqlalchemy.schema import SchemaItem

from pgmigrations.errors import PgMigrationsError
from tests.support.project import Project
from tests.support.script import run_script

FILTER = """
def include_object(item, name, type_, reflected, compare_to):
    return not (type_ == "column" and name.startswith("other"))

def include_name(name, type_, parents):
    return not (type_ == "column" and name == "hidden")

"""


def models(*columns: SchemaItem) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True, autoincrement=False), *columns)
    return metadata


def started(tmp_path: Path, url: str, metadata: MetaData) -> Project:
    """A project whose first revision stands for what somebody has made by hand."""
    project = Project(tmp_path / "project", url).models(metadata)
    project.run("revision", "-m", "by hand")
    project.run("stamp", "head")
    return project


SEEN: dict[str, tuple[str, Callable[[], MetaData]]] = {
    "a collation": ("c varchar", lambda: models(Column("c", String(collation="C")))),
    "a server default": (
        "c integer DEFAULT 1",
        lambda: models(Column("c", Integer, server_default=text("2"))),
    ),
    "an identity": (
        "c integer NOT NULL",
        lambda: models(Column("c", Integer, Identity())),
    ),
    "a computed expression": (
        "c integer GENERATED ALWAYS AS (id + 1) STORED",
        lambda: models(Column("c", Integer, Computed("id + 2", persisted=True))),
    ),
    "a json default": (
        "c json DEFAULT '{}'",
        lambda: models(Column("c", JSON, server_default=text("""'{"a": 1}'"""))),
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_change_is_seen_and_made(name: str, database_url: str, tmp_path: Path) -> None:
    definition, build = SEEN[name]
    run_script(database_url, f"CREATE TABLE t (id integer PRIMARY KEY, {definition})")
    project = started(tmp_path, database_url, build())
    assert project.autogenerate() is not None
    project.upgrade()
    assert project.check()


def test_a_function_of_another_schema_in_a_default_is_no_difference(
    database_url: str, tmp_path: Path
) -> None:
    run_script(
        database_url,
        "CREATE FUNCTION public.next_number() RETURNS integer LANGUAGE sql AS 'SELECT 7'",
    )
    metadata = models(Column("c", Integer, server_default=text("next_number()")))
    project = Project(tmp_path / "project", database_url).models(metadata)
    assert project.autogenerate("first") is not None
    project.upgrade()
    assert project.check()


def test_storage_parameters_and_the_like_are_seen(database_url: str, tmp_path: Path) -> None:
    run_script(
        database_url,
        "CREATE UNLOGGED TABLE t (id integer PRIMARY KEY) WITH (fillfactor = 70);"
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    )
    project = started(tmp_path, database_url, models())
    revision = project.autogenerate()
    assert revision is not None
    assert "op.change_table(" in revision.read_text()
    project.upgrade()
    assert project.check()


PARTED = """
CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10)"""


def parted(key: str) -> MetaData:
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        postgresql_partition_by=key,
    )
    return metadata


def test_partitions_that_no_model_knows_are_no_difference(
    database_url: str, tmp_path: Path
) -> None:
    run_script(database_url, PARTED)
    project = Project(tmp_path / "project", database_url).models(parted("RANGE (id)"))
    project.run("check")


def test_another_partition_strategy_is_named(database_url: str, tmp_path: Path) -> None:
    run_script(database_url, PARTED)
    project = Project(tmp_path / "project", database_url).models(parted("HASH (id)"))
    with pytest.raises(Exception, match="partition_key") as failure:
        project.autogenerate()
    assert isinstance(failure.value.__cause__, PgMigrationsError)


def test_columns_that_the_projects_filters_refuse_are_left_alone(
    database_url: str, tmp_path: Path
) -> None:
    run_script(
        database_url,
        "CREATE TABLE t (id integer PRIMARY KEY, other_1 integer, other_2 integer, hidden integer)",
    )
    metadata = models(
        Column("other_2", String), Column("other_3", Integer), Column("hidden", Integer)
    )
    project = Project(tmp_path / "project", database_url).models(metadata)
    env = project.path / "alembic" / "env.py"
    source = env.read_text()
    call = "configure_arguments(metadata)"
    assert call in source
    filters = "metadata, include_object=include_object, include_name=include_name"
    source = source.replace(call, f"configure_arguments({filters})")
    env.write_text(source.replace("\nwith command_errors()", f"{FILTER}\nwith command_errors()"))
    assert project.check()
