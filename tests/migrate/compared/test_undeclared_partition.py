"""Partitions that no model declares stay whatever changes in their table."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, event
from sqlalchemy.schema import DDL

from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

OURS = ["alembic_version*", "pgmigrations*"]
CHANGES = (
    "COMMENT ON TABLE t IS 'hello'",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t REPLICA IDENTITY FULL",
    "ALTER TABLE t REPLICA IDENTITY USING INDEX ix",
)


def parted(change: str = "") -> MetaData:
    metadata = MetaData()
    one = Table(
        "t",
        metadata,
        Column("id", Integer, nullable=False),
        postgresql_partition_by="LIST (id)",
    )
    Index("ix", one.c.id, unique=True)
    if change:
        event.listen(metadata, "after_create", DDL(change))  # type: ignore[no-untyped-call]
    return metadata


@pytest.mark.parametrize("change", CHANGES)
def test_partitions_stay_when_their_table_changes(
    change: str, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(parted())
    project.autogenerate("first")
    project.upgrade()
    run_script(
        database_url, "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); INSERT INTO t VALUES (1)"
    )
    before = schema_dump(database_url, exclude_tables=OURS)
    revision = project.models(parted(change)).autogenerate("second")
    assert revision is not None
    assert "partition" not in revision.read_text()
    project.upgrade()
    assert project.check()
    assert schema_dump(database_url, exclude_tables=OURS) != before
    project.downgrade()
    assert schema_dump(database_url, exclude_tables=OURS) == before


def referred() -> MetaData:
    metadata = MetaData()
    one = Table(
        "one",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        postgresql_partition_by="LIST (id)",
    )
    Table("other", metadata, Column("id", Integer, ForeignKey("one.id")))
    event.listen(one, "after_create", DDL("CREATE TABLE one_1 PARTITION OF one DEFAULT"))  # type: ignore[no-untyped-call]
    return metadata


def test_partitions_go_with_their_table_when_nothing_refers_to_their_rows(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(referred())
    project.autogenerate("first")
    project.upgrade()
    run_script(database_url, "INSERT INTO one VALUES (1); INSERT INTO other VALUES (1)")
    project.downgrade("base")
    assert "CREATE TABLE" not in schema_dump(database_url, exclude_tables=OURS)
