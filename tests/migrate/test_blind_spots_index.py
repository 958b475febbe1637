"""What Alembic alone does not see of indexes and sequences, or sees where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    create_engine,
    func,
    text,
)
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.objects.index.replace import ReplaceIndex
from tests.support.project import Project
from tests.support.script import run_script


def models(*indexes: Callable[[Table], object], vectors: bool = False) -> MetaData:
    metadata = MetaData()
    columns: list[Any] = [Column("id", Integer, primary_key=True), Column("title", Text)]
    if vectors:
        from pgvector.sqlalchemy import Vector

        columns.append(Column("embedding", Vector(3)))
    table = Table("page", metadata, *columns, Column("status", Text, nullable=False))
    for index in indexes:
        index(table)
    return metadata


def definition(url: str, name: str) -> str:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found: str = connection.exec_driver_sql(
            f"SELECT pg_get_indexdef('{name}'::regclass)"
        ).scalar_one()
        return found


def test_expressions_that_print_differently_are_no_difference(
    database_url: str, tmp_path: Path
) -> None:
    metadata = models(
        lambda t: Index("ix_case", text("(CASE WHEN status = 'a' THEN 1 ELSE 0 END)"), _table=t),
        lambda t: Index("ix_words", func.to_tsvector(text("'english'"), t.c.title)),
        lambda t: Index("ix_in", t.c.id, postgresql_where=t.c.status.in_(["a", "b"])),
    )
    project = Project(tmp_path / "project", database_url).models(metadata)
    assert project.autogenerate("first")
    project.upgrade()
    assert project.check()
    # As a dump would print it, and a restore make it.
    printed = definition(database_url, "ix_in")
    run_script(database_url, f"DROP INDEX ix_in; {printed}")
    assert project.check()


def test_an_invalid_index_is_made_anew(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url)
    project.models(models(lambda t: Index("ix", t.c.title))).autogenerate("first")
    project.upgrade()
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix'::regclass"
    run_script(database_url, invalid)
    assert not project.check()
    revision = project.autogenerate("again")
    assert revision is not None
    project.upgrade()
    assert project.check()
    run_script(database_url, invalid)
    run_script(database_url, project.again_sql(revision))
    assert project.check()


def test_create_index_over_an_invalid_one_makes_it_anew(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url)
    revision = project.models(models(lambda t: Index("ix", t.c.title))).autogenerate("first")
    assert revision is not None
    project.upgrade()
    run_script(
        database_url, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix'::regclass"
    )
    project.again(revision)
    assert project.check()


def test_a_replaced_index_stays_the_replica_identity(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url)
    project.models(models(lambda t: Index("ix", t.c.status, unique=True))).autogenerate("first")
    project.upgrade()
    run_script(database_url, "ALTER TABLE page REPLICA IDENTITY USING INDEX ix")
    old = "CREATE UNIQUE INDEX ix ON public.page USING btree (status)"
    new = "CREATE UNIQUE INDEX ix ON public.page USING btree (status, id)"
    operation = ReplaceIndex("ix", "page", old, new)
    engine = create_engine(database_url, poolclass=NullPool)
    look = "SELECT indisreplident FROM pg_index WHERE indexrelid = 'ix'::regclass"
    with engine.begin() as connection:
        assert operation.pending(connection)
        for statement in operation.statements():
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        assert connection.exec_driver_sql(look).scalar_one()
        assert not operation.pending(connection)
    reverse = operation.reverse().guarded_statements()
    for _ in range(2):
        run_script(database_url, ";".join(reverse))
        assert definition(database_url, "ix") == old
        with engine.connect() as connection:
            assert connection.exec_driver_sql(look).scalar_one()


@pytest.mark.needs_extension("vector")
@pytest.mark.parametrize(
    "options",
    [
        {"postgresql_using": "hnsw", "postgresql_ops": {"embedding": "vector_l2_ops"}},
        {
            "postgresql_using": "hnsw",
            "postgresql_ops": {"embedding": "vector_cosine_ops"},
            "postgresql_with": {"m": 8, "ef_construction": 32},
        },
        {
            "postgresql_using": "ivfflat",
            "postgresql_ops": {"embedding": "vector_cosine_ops"},
            "postgresql_with": {"lists": 5},
        },
    ],
    ids=["operator class", "m and ef_construction", "IVFFlat"],
)
def test_indexes_of_vectors_change(
    database_url: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    before: dict[str, Any] = {
        "postgresql_using": "hnsw",
        "postgresql_ops": {"embedding": "vector_cosine_ops"},
    }
    project = Project(tmp_path / "project", database_url)
    project.models(models(lambda t: Index("ix", t.c.embedding, **before), vectors=True))
    project.autogenerate("first")
    project.upgrade()
    assert project.check()
    start = definition(database_url, "ix")
    project.models(models(lambda t: Index("ix", t.c.embedding, **options), vectors=True))
    revision = project.autogenerate("changed")
    assert revision is not None
    assert revision.read_text().count("op.replace_index(") == 2
    project.upgrade()
    assert project.check()
    project.downgrade()
    assert definition(database_url, "ix") == start


def test_the_index_of_a_partitioned_table_reaches_its_partitions(
    database_url: str, tmp_path: Path
) -> None:
    def parted(*columns: str) -> MetaData:
        metadata = MetaData()
        table = Table(
            "parted",
            metadata,
            Column("a", Integer),
            Column("b", Text),
            postgresql_partition_by="RANGE (a)",
        )
        Index("ix", *(table.c[name] for name in columns))
        return metadata

    project = Project(tmp_path / "project", database_url)
    project.models(parted("a")).autogenerate("first")
    project.upgrade()
    project.models(parted("b", "a")).autogenerate("other")
    project.upgrade()
    assert project.check()
    run_script(database_url, "CREATE TABLE part PARTITION OF parted DEFAULT")
    assert definition(database_url, "part_b_a_idx").endswith("(b, a)")


def test_a_sequence_that_stands_by_itself_is_seen(database_url: str, tmp_path: Path) -> None:
    metadata = models()
    project = Project(tmp_path / "project", database_url).models(metadata)
    project.autogenerate("first")
    project.upgrade()
    Sequence("counter", metadata=metadata)
    revision = project.autogenerate("counter")
    assert revision is not None
    assert "op.create_sequence('counter', {})" in revision.read_text()
    project.upgrade()
    assert project.check()


def test_the_sequence_of_a_serial_column_that_was_changed_by_hand_is_seen(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(models())
    project.autogenerate("first")
    project.upgrade()
    run_script(database_url, "ALTER SEQUENCE page_id_seq INCREMENT 7")
    revision = project.autogenerate("back")
    assert revision is not None
    assert "op.alter_sequence(" in revision.read_text()
    project.upgrade()
    assert project.check()
