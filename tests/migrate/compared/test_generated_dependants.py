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
    Index,
    Integer,
    MetaData,
    Table,
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
INSERT INTO one VALUES (1, 5), (11, 6);
"""


def doubled(type_: Any, **options: Any) -> MetaData:
    metadata = MetaData()
    Table(
        "one",
        metadata,
        Column("id", Integer),
        Column("number", type_),
        Column("twice", Integer, Computed("number * 2", persisted=True)),
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
