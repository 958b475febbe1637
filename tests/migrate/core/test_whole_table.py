"""Tables that come and go whole, with everything in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import DDL

from tests.support.dump import schema_dump
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def dump(project: Project) -> str:
    return schema_dump(project.url, exclude_tables=["pgmigrations*"])


def written(project: Project) -> str:
    revision = project.autogenerate()
    assert revision is not None
    return revision.read_text()


def test_a_dropped_table_comes_back_with_everything_in_it(project: Project) -> None:
    metadata = sa.MetaData()
    sa.Table("other", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    kept = sa.MetaData()
    sa.Table("other", kept, sa.Column("id", sa.BigInteger, primary_key=True))
    sa.Table(
        "one",
        metadata,
        sa.Column("id", sa.Integer, sa.Identity(start=7, cycle=True), primary_key=True),
        sa.Column("number", sa.SmallInteger, sa.Sequence("one_number_seq")),
        sa.Column("other_id", sa.ForeignKey("other.id", ondelete="CASCADE")),
        sa.Column("name", sa.String(20, collation="C"), server_default="a : %s", comment="It's"),
        sa.Column("twice", sa.Integer, sa.Computed("number * 2", persisted=True)),
        sa.CheckConstraint("name <> '%(x)s'", name="one_name_check"),
        sa.UniqueConstraint("name", "number", name="one_key", deferrable=True),
        sa.Index("one_index", sa.text("lower(name)"), postgresql_where=sa.text("number > 3")),
        comment="One",
    )
    project.models(metadata).autogenerate()
    project.upgrade()
    before = dump(project)
    assert written(project.models(kept)).count("op.drop_table") == 1
    project.upgrade()
    project.downgrade()
    assert dump(project) == before


def test_tables_of_a_cycle_come_and_go(project: Project) -> None:
    metadata = sa.MetaData()
    for one, two in (("a", "b"), ("b", "c"), ("c", "a")):
        key = sa.ForeignKey(f"{two}.id", use_alter=one == "c", name=f"{one}_{two}")
        sa.Table(one, metadata, sa.Column("id", sa.Integer, key, primary_key=True))
    project.models(metadata).autogenerate()
    project.upgrade()
    assert project.check()
    before = dump(project)
    assert written(project.models(sa.MetaData())).count("op.remove_constraint") == 1
    project.upgrade()
    project.downgrade()
    assert dump(project) == before


def test_a_table_that_only_sql_declares_is_made_too(project: Project) -> None:
    metadata = sa.MetaData()
    one = sa.Table("one", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sql = "CREATE UNLOGGED TABLE two (id serial PRIMARY KEY, one_id int REFERENCES one)"
    sa.event.listen(one, "after_create", DDL(sql))  # type: ignore[no-untyped-call]
    project.models(metadata).autogenerate()
    project.upgrade()
    assert "CREATE UNLOGGED TABLE public.two" in dump(project)
    assert project.check()


@pytest.mark.parametrize("class_", [sa.Enum, type("Kinds", (sa.Enum,), {})])
def test_a_check_that_a_type_brings_along_is_made_once(
    class_: type[sa.Enum], project: Project
) -> None:
    type_ = class_("a", "b%s", name="n", native_enum=False, create_constraint=True)
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("c", type_))
    text = written(project.models(metadata))
    assert text.count("CheckConstraint") == 1
    assert "Enum" not in text
    project.upgrade()
    assert project.check()


def test_autoincrement_that_is_switched_off_stays_off(project: Project) -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))
    assert "autoincrement=False" in written(project.models(metadata))
    project.upgrade()
    assert project.check()


def test_a_table_comes_and_goes_with_the_unique_index_of_another_that_it_refers_to(
    project: Project,
) -> None:
    metadata, alone = sa.MetaData(), sa.MetaData()
    sa.Table("one", alone, sa.Column("number", sa.Integer))
    one = sa.Table("one", metadata, sa.Column("number", sa.Integer))
    sa.Index("one_index", one.c.number, unique=True)
    sa.Table("two", metadata, sa.Column("number", sa.ForeignKey("one.number", name="two_one")))
    project.models(alone).autogenerate()
    project.upgrade()
    before = dump(project)
    project.models(metadata).autogenerate()
    project.upgrade()
    after = dump(project)
    project.downgrade()
    assert dump(project) == before
    project.upgrade()
    assert written(project.models(alone)).count("op.remove_constraint") == 1
    project.upgrade()
    assert dump(project) == before
    project.downgrade()
    assert dump(project) == after
