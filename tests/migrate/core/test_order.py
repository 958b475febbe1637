"""The order within a revision, whatever order the differences were found in."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.operations.ops import MigrateOperation, UpgradeOps
from sqlalchemy import Column, Enum, ForeignKey, Index, Integer, MetaData, Table, Text, text

from pgmigrations.declare import Extension, declare
from pgmigrations.migrate.core.order import finish
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.objects.enum.ops import CreateEnum
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

OURS = ["alembic_version*", "pgmigrations*"]


def calls(revision: Path, function: str) -> list[str]:
    """Name the operations of a function in the order in which they stand there."""
    body = revision.read_text().split(f"def {function}() -> None:")[1].split("\ndef ")[0]
    return [
        line.strip().removeprefix("op.").partition("(")[0]
        for line in body.splitlines()
        if line.startswith("    op.")
    ]


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


@pytest.mark.needs_extension("citext")
def test_types_stand_around_the_tables_that_need_them(project: Project) -> None:
    metadata = MetaData()
    declare(metadata, Extension("citext"))
    Table("t", metadata, Column("e", Enum("a", name="e"), server_default="a"))
    revision = project.models(metadata).autogenerate()
    assert revision is not None
    assert calls(revision, "upgrade") == ["create_extension", "create_enum", "create_table"]
    assert calls(revision, "downgrade") == ["drop_table", "drop_enum", "drop_extension"]
    project.upgrade()
    removed = project.models(MetaData()).autogenerate()
    assert removed is not None
    assert calls(removed, "upgrade") == ["drop_table", "drop_enum", "drop_extension"]
    assert calls(removed, "downgrade") == ["create_extension", "create_enum", "create_table"]


def enum_model(*labels: str, used: bool = False) -> MetaData:
    metadata = MetaData()
    type_ = Enum(*labels, name="e")
    table = Table("t", metadata, Column("e", type_))
    if used:
        table.append_column(Column("f", type_, server_default="b"))
        Index("ix", table.c.e, postgresql_where=text("e = 'c'"))
    return metadata


def test_labels_come_before_what_uses_them_and_go_in_one_rebuild(project: Project) -> None:
    assert project.models(enum_model("a")).autogenerate()
    project.upgrade()
    revision = project.models(enum_model("a", "b", "c", used=True)).autogenerate()
    assert revision is not None
    assert calls(revision, "upgrade") == [
        "add_enum_value",
        "add_enum_value",
        "add_column",
        "create_index",
    ]
    assert calls(revision, "downgrade") == ["drop_index", "drop_column", "replace_enum"]
    assert "replace_enum('e', ['a', 'b', 'c'], ['a'])" in revision.read_text()
    project.upgrade()
    assert project.check()
    project.downgrade()
    project.upgrade()
    assert project.check()


def test_a_cycle_of_foreign_keys_is_closed_after_its_tables(project: Project) -> None:
    metadata = MetaData()
    key = ForeignKey("two.id", name="closing", use_alter=True)
    Table("one", metadata, Column("id", Integer, primary_key=True), Column("x", Integer, key))
    Table("two", metadata, Column("id", Integer, ForeignKey("one.id"), primary_key=True))
    revision = project.models(metadata).autogenerate()
    assert revision is not None
    added, removed = ["add_constraint"] * 2, ["remove_constraint"] * 2
    assert calls(revision, "upgrade") == ["create_table", "create_table", *added]
    assert calls(revision, "downgrade") == [*removed, "drop_table", "drop_table"]
    project.upgrade()
    assert project.check()
    project.downgrade()


def test_an_enum_becomes_a_table_of_its_name_and_an_enum_again(
    project: Project, database_url: str
) -> None:
    enum, table = MetaData(), MetaData()
    Table("job", enum, Column("id", Integer), Column("status", Enum("new", "done", name="status")))
    Table("status", table, Column("id", Integer, primary_key=True), Column("name", Text))
    key = ForeignKey("status.id", name="job_status")
    Table("job", table, Column("id", Integer), Column("status_id", Integer, key))
    assert project.models(enum).autogenerate()
    project.upgrade()
    run_script(database_url, "INSERT INTO job VALUES (1, 'done')")
    before = schema_dump(database_url, exclude_tables=OURS)
    revision = project.models(table).autogenerate()
    assert revision is not None
    made = ["add_column", "drop_column", "drop_enum", "create_table", "add_constraint"]
    assert calls(revision, "upgrade") == made
    gone = ["remove_constraint", "drop_table", "create_enum", "add_column", "drop_column"]
    assert calls(revision, "downgrade") == gone
    project.upgrade()
    project.again(revision)
    assert project.check()
    project.downgrade("-1")
    assert schema_dump(database_url, exclude_tables=OURS) == before


def test_what_goes_leaves_alone_what_has_its_name_since(
    project: Project, database_url: str
) -> None:
    run_script(
        database_url,
        "CREATE TABLE t (id integer); CREATE INDEX one ON t (id); CREATE TABLE two (id integer);"
        "CREATE DOMAIN three AS integer; CREATE TYPE four AS ENUM ('a')",
    )
    project.run("revision", "-m", "goes")
    path = project.revisions()[-1]
    body = "\n    ".join(
        (
            "op.drop_table('one', if_exists=True)",
            "op.drop_index('two', 't', if_exists=True)",
            "op.drop_enum('three')",
            "op.drop_enum('two')",
            "op.drop_domain('four')",
        )
    )
    path.write_text(
        path.read_text().replace("def upgrade() -> None:", f"def upgrade() -> None:\n    {body}", 1)
    )
    before = schema_dump(database_url, exclude_tables=OURS)
    project.upgrade()
    assert schema_dump(database_url, exclude_tables=OURS) == before


class Named(MigrateOperation):
    """An operation of a project's own."""

    def reverse(self) -> MigrateOperation:
        raise RuntimeError("nobody asks")


def test_an_operation_of_the_projects_own_is_not_asked_for_names() -> None:
    own, made = Named(), CreateEnum("mood", ["low"])
    container = UpgradeOps([own, made])
    finish(container, KINDS)
    assert container.ops == [made, own]
