"""What hangs on a generated column, declared or not, stays when the column is made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from tests.migrate.compared.case import rows
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

OURS = ["alembic_version*", "pgmigrations*"]
GRANTED = """
SELECT attrelid::regclass::text, attacl::text FROM pg_attribute
WHERE attname = 'twice' AND attacl IS NOT NULL ORDER BY 1"""
ON_THE_TABLE = """
CREATE STATISTICS kept ON number, twice FROM one;
GRANT SELECT (twice) ON one TO PUBLIC;
"""
ON_PARTITIONS = """
CREATE TABLE one_1 PARTITION OF one FOR VALUES FROM (0) TO (10);
CREATE TABLE one_2 PARTITION OF one FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE one_21 PARTITION OF one_2 FOR VALUES FROM (10) TO (15);
CREATE INDEX own ON one_1 (twice) WHERE twice > 0;
COMMENT ON INDEX own IS 'kept';
ALTER TABLE one_1 ADD CONSTRAINT own_check CHECK (twice < 1000);
COMMENT ON CONSTRAINT own_check ON one_1 IS 'kept';
ALTER TABLE one_21 ADD CONSTRAINT own_unique UNIQUE (twice);
ALTER TABLE one_21 ADD CONSTRAINT own_exclusion EXCLUDE USING btree (id WITH =) WHERE (twice > 2);
ALTER TABLE one_21 ALTER COLUMN twice SET NOT NULL;
ALTER TABLE one_21 ALTER COLUMN twice SET STATISTICS 77;
COMMENT ON COLUMN one_1.twice IS 'kept';
CREATE STATISTICS own_statistics ON id, twice FROM one_21;
GRANT UPDATE (twice) ON one_1 TO PUBLIC;
CREATE UNIQUE INDEX own_middle ON one_2 (id, twice);
COMMENT ON INDEX one_21_id_twice_idx IS 'kept';
ALTER INDEX one_21_id_twice_idx RENAME TO own_leaf;
COMMENT ON INDEX own_unique IS 'kept';
COMMENT ON STATISTICS own_statistics IS 'kept';
ALTER TABLE one_1 ALTER COLUMN twice SET (n_distinct = 9);
INSERT INTO one VALUES (1, 5), (11, 6);
"""


def doubled(type_: Any, expression: str = "number * 2", **options: Any) -> MetaData:
    metadata = MetaData()
    Table(
        "one",
        metadata,
        Column("id", Integer),
        Column("number", type_),
        Column("twice", Integer, Computed(expression, persisted=True)),
        Index("ix", "twice"),
        CheckConstraint("twice < 5000", name="small"),
        UniqueConstraint("id", "twice", name="once"),
        **options,
    )
    return metadata


@pytest.mark.parametrize("is_partitioned", [False, True])
def test_what_hangs_on_a_generated_column_stays(
    is_partitioned: bool, database_url: str, tmp_path: Path
) -> None:
    options = {"postgresql_partition_by": "RANGE (id)"} if is_partitioned else {}
    project = Project(tmp_path / "project", database_url).models(doubled(Integer, **options))
    project.autogenerate("before")
    project.upgrade()
    run_script(database_url, ON_THE_TABLE + (ON_PARTITIONS if is_partitioned else ""))
    before, granted = schema_dump(database_url, exclude_tables=OURS), rows(database_url, GRANTED)
    assert granted
    project.models(doubled(BigInteger, **options)).autogenerate("after")
    project.upgrade()
    assert project.check()
    after = schema_dump(database_url, exclude_tables=OURS)
    assert after.replace("number bigint", "number integer") == before != after
    assert rows(database_url, GRANTED) == granted
    project.downgrade()
    assert schema_dump(database_url, exclude_tables=OURS) == before
    assert rows(database_url, GRANTED) == granted


def test_what_inherits_in_two_ways_is_made_again_once(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(doubled(Integer))
    project.autogenerate("before")
    project.upgrade()
    run_script(
        database_url,
        "CREATE SCHEMA beside; CREATE TABLE beside.a () INHERITS (one);"
        "CREATE TABLE beside.b () INHERITS (one); CREATE TABLE beside.c () INHERITS (beside.a, "
        "beside.b); ALTER TABLE beside.c ADD CONSTRAINT own CHECK (twice < 1000)",
    )
    before = schema_dump(database_url, exclude_tables=OURS)
    project.models(doubled(BigInteger)).autogenerate("after")
    project.upgrade()
    after = schema_dump(database_url, exclude_tables=OURS)
    assert after.replace("number bigint", "number integer") == before != after


@pytest.mark.parametrize(
    ("after", "values"),
    [
        (doubled(BigInteger), (10, 16)),
        (doubled(Integer, "number * 3"), (15, 24)),
        (doubled(BigInteger, "number * 3"), (15, 24)),
    ],
    ids=["a type", "an expression", "both"],
)
def test_a_table_that_came_to_inherit_is_generated_alike(
    after: MetaData, values: tuple[int, int], database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(doubled(Integer))
    project.autogenerate("before")
    project.upgrade()
    run_script(
        database_url,
        "CREATE SCHEMA beside; CREATE TABLE beside.a (LIKE one INCLUDING ALL);"
        "ALTER TABLE beside.a INHERIT one; INSERT INTO beside.a VALUES (1, 5)",
    )
    select = "SELECT twice FROM beside.a ORDER BY id"
    project.models(after).autogenerate("after")
    project.upgrade()
    run_script(database_url, "INSERT INTO beside.a VALUES (2, 8)")
    assert [twice for (twice,) in rows(database_url, select)] == [*values]
    project.downgrade()
    run_script(database_url, "INSERT INTO beside.a VALUES (3, 9)")
    assert [twice for (twice,) in rows(database_url, select)] == [10, 16, 18]


def test_a_declared_table_that_came_to_inherit_is_generated_alike(
    database_url: str, tmp_path: Path
) -> None:
    def with_kid(type_: Any, *, is_heir: bool) -> MetaData:
        metadata = MetaData()
        for name in ("one",) if is_heir else ("one", "kid"):
            twice = Column("twice", Integer, Computed("number * 2", persisted=True))
            Table(name, metadata, Column("id", Integer), Column("number", type_), twice)
        if is_heir:
            Table("kid", metadata, postgresql_inherits="one")
        return metadata

    project = Project(tmp_path / "project", database_url)
    project.models(with_kid(Integer, is_heir=False)).autogenerate("before")
    project.upgrade()
    run_script(database_url, "INSERT INTO kid (id, number) VALUES (1, 5)")
    for type_ in (Integer, BigInteger):
        models = with_kid(type_, is_heir=True)
        assert project.models(models).autogenerate(f"inherits_{type_.__name__}") is not None
        project.upgrade()
        assert project.check()
    run_script(database_url, "INSERT INTO kid (id, number) VALUES (2, 8)")
    select = "SELECT twice FROM kid ORDER BY id"
    assert rows(database_url, select) == [(10,), (16,)]
    project.downgrade()
    run_script(database_url, "INSERT INTO kid (id, number) VALUES (3, 9)")
    assert rows(database_url, select) == [(10,), (16,), (18,)]


@pytest.mark.needs_server(min=18)
@pytest.mark.parametrize("type_", [Integer, Text])
def test_a_virtual_column_becomes_a_plain_one_without_an_update(
    type_: Any, database_url: str, tmp_path: Path
) -> None:
    def doubled_once(*arguments: Any) -> MetaData:
        metadata = MetaData()
        columns = (Column("id", Integer), Column("number", Integer), Column("twice", *arguments))
        Table("one", metadata, *columns)
        return metadata

    virtual = doubled_once(Integer, Computed("number * 2", persisted=False))
    project = Project(tmp_path / "project", database_url).models(virtual)
    project.autogenerate("before")
    project.upgrade()
    run_script(
        database_url,
        "INSERT INTO one VALUES (1, 5);"
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'append only'; END $$;"
        "CREATE TRIGGER refusing BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION refuse();",
    )
    project.models(doubled_once(type_)).autogenerate("after")
    project.upgrade()
    assert project.check()
    assert rows(database_url, "SELECT twice::text FROM one") == [("10",)]
    project.downgrade()
    assert rows(database_url, "SELECT twice FROM one") == [(10,)]


def test_a_foreign_key_makes_way_for_what_its_key_is_generated_from(
    database_url: str, tmp_path: Path
) -> None:
    def referring(type_: Any) -> MetaData:
        metadata = doubled(type_)
        metadata.tables["one"].append_constraint(UniqueConstraint("twice", name="key"))
        key = ForeignKey("one.twice", name="known")
        Table("used", metadata, Column("id", Integer), Column("twice", Integer, key))
        return metadata

    project = Project(tmp_path / "project", database_url).models(referring(Integer))
    project.autogenerate("before")
    project.upgrade()
    run_script(database_url, "INSERT INTO one VALUES (1, 5); INSERT INTO used VALUES (1, 10)")
    before = schema_dump(database_url, exclude_tables=OURS)
    project.models(referring(BigInteger)).autogenerate("after")
    project.upgrade()
    assert project.check()
    after = schema_dump(database_url, exclude_tables=OURS)
    assert after.replace("number bigint", "number integer") == before != after
    project.downgrade()
    assert schema_dump(database_url, exclude_tables=OURS) == before
