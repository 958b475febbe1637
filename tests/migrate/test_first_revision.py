"""The first revision of any models applies as generated, and goes away without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import CITEXT, ENUM, ExcludeConstraint
from sqlalchemy.types import TypeDecorator, UserDefinedType, Uuid

from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project

Models = Callable[[], MetaData]


def key_to_a_unique_index() -> MetaData:
    metadata = MetaData()
    asset = Table(
        "asset",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(40)),
        Column("uri", String(40)),
    )
    Index("idx_asset_name_uri_unique", asset.c.name, asset.c.uri, unique=True)
    Table(
        "active",
        metadata,
        Column("name", String(40), primary_key=True),
        Column("uri", String(40), primary_key=True),
        ForeignKeyConstraint(["name", "uri"], ["asset.name", "asset.uri"], name="active_fkey"),
    )
    return metadata


def key_to_a_unique_index_of_the_table_itself() -> MetaData:
    metadata = MetaData()
    node = Table(
        "node",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("path", String(40)),
        Column("parent", String(40), ForeignKey("node.path", name="up", use_alter=True)),
    )
    Index("ix_node_path", node.c.path, unique=True)
    return metadata


def unique_on_a_primary_key() -> MetaData:
    metadata = MetaData()
    Table(
        "tagged",
        metadata,
        Column("agent", String(40), primary_key=True),
        Column("tag", String(40), primary_key=True),
        UniqueConstraint("agent", "tag", name="unique_agent_tag"),
    )
    Table(
        "used",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("agent", String(40)),
        Column("tag", String(40)),
        ForeignKeyConstraint(["agent", "tag"], ["tagged.agent", "tagged.tag"]),
    )
    return metadata


def cycle_through_three_schemas() -> MetaData:
    metadata = MetaData()
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        Table(
            "node",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("other", Integer, ForeignKey(f"{other}.node.id")),
            schema=name,
        )
    return metadata


def no_counting() -> MetaData:
    metadata = MetaData()
    Table(
        "pair",
        metadata,
        Column("one", Integer, primary_key=True, autoincrement=False),
        Column("two", Integer, primary_key=True, autoincrement=False),
    )
    Table("single", metadata, Column("id", Integer, primary_key=True, autoincrement=False))
    return metadata


class Flag(TypeDecorator[bool]):
    """A type that is only to be imported within its application."""

    impl = Boolean(create_constraint=True, name="is_flag")
    cache_ok = True


def checks_of_types() -> MetaData:
    metadata = MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"})
    Table(
        "checked",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("yes", Boolean(create_constraint=True, name="yes")),
        Column("flag", Flag()),
        Column("state", Enum("50%", "it's", native_enum=False, create_constraint=True, name="of")),
        CheckConstraint("state NOT LIKE '%x%' AND state <> ':y'", name="like"),
    )
    return metadata


def shared_enum() -> MetaData:
    metadata = MetaData()
    Table("first", metadata, Column("mood", Enum("low", "high", name="mood")))
    Table("second", metadata, Column("mood", Enum("low", "high", name="mood")))
    Table("third", metadata, Column("mood", ENUM("low", "high", name="mood", create_type=False)))
    return metadata


def json_defaults() -> MetaData:
    metadata = MetaData()
    Table(
        "settings",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("data", JSON, nullable=False, server_default='{"a": ["%s", ":b"]}'),
        Column("more", JSON, server_default=text("'[]'::json")),
    )
    return metadata


class Ring(UserDefinedType[Any]):
    """Its repr is no Python."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "POLYGON"

    def __repr__(self) -> str:
        return "<a ring>"


class GUID(TypeDecorator[Any]):
    """What it is made of depends on the dialect."""

    impl = sa.CHAR(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(Uuid())


def types_of_an_application() -> MetaData:
    metadata = MetaData()
    Table("shape", metadata, Column("id", GUID, primary_key=True), Column("ring", Ring))
    return metadata


def exclusion_over_scalars() -> MetaData:
    metadata = MetaData()
    Table(
        "booking",
        metadata,
        Column("room", Integer),
        Column("during", sa.dialects.postgresql.TSTZRANGE),
        ExcludeConstraint(("room", "="), ("during", "&&"), name="no_overlap", using="gist"),
    )
    return metadata


def unnamed_under_a_convention() -> MetaData:
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    Table("author", metadata, Column("id", Integer, primary_key=True))
    Table(
        "a_book_with_a_name_that_makes_every_name_of_a_convention_long",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("author_of_the_book", Integer, ForeignKey("author.id"), index=True),
        Column("title", Text, unique=True),
    )
    return metadata


MODELS = (
    key_to_a_unique_index,
    key_to_a_unique_index_of_the_table_itself,
    unique_on_a_primary_key,
    cycle_through_three_schemas,
    no_counting,
    checks_of_types,
    shared_enum,
    json_defaults,
    types_of_an_application,
    unnamed_under_a_convention,
    pytest.param(exclusion_over_scalars, marks=pytest.mark.needs_extension("btree_gist")),
)


@pytest.mark.parametrize("models", MODELS, ids=lambda models: models.__name__)
def test_the_first_revision_applies_as_generated(
    models: Models, databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh() as url, databases.fresh() as plain:
        nothing = schema_dump(url, exclude_tables=["pgmigrations*"])
        project = Project(tmp_path / "project", url).models(models())
        revision = project.autogenerate("first")
        assert revision is not None
        project.upgrade()
        upgraded = schema_dump(url, exclude_tables=["pgmigrations*"])
        assert upgraded == _by_hand(plain, models())
        second = project.autogenerate("second")
        assert second is None, second.read_text()
        project.downgrade("base")
        assert schema_dump(url, exclude_tables=["pgmigrations*"]) == nothing


def _by_hand(url: str, metadata: MetaData) -> str:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for schema in {table.schema for table in metadata.tables.values()} - {None}:
            connection.execute(sa.schema.CreateSchema(str(schema)))
        if "booking" in metadata.tables:
            connection.execute(text("CREATE EXTENSION btree_gist"))
    metadata.create_all(engine)
    return schema_dump(url, exclude_tables=["pgmigrations*"])


def test_a_revision_speaks_of_no_type_that_sqlalchemy_does_not_export(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(types_of_an_application())
    revision = project.autogenerate("first")
    assert revision is not None
    written = revision.read_text()
    assert "PGUuid" not in written
    assert "op.sql_type('POLYGON')" in written


def test_a_listener_may_inspect_the_connection(database_url: str, tmp_path: Path) -> None:
    metadata = MetaData()
    table = Table("seen", metadata, Column("id", Integer, primary_key=True))
    found: list[tuple[bool, list[str]]] = []

    @event.listens_for(table, "after_create")
    def look(_target: Table, connection: Connection, **_: Any) -> None:
        inspector = inspect(connection)
        found.append((inspector.has_table("seen"), inspector.get_view_names()))

    assert Project(tmp_path / "project", database_url).models(metadata).autogenerate("first")
    # However often the models are written down as SQL.
    assert found == [(False, [])] * len(found) != []


def words(index: str = "gin_trgm_ops") -> MetaData:
    metadata = MetaData()
    table = Table("word", metadata, Column("text", Text), Column("name", CITEXT))
    Index("ix_text", table.c.text, postgresql_using="gin", postgresql_ops={"text": index})
    return metadata


@pytest.mark.needs_extension("pg_trgm", "citext")
def test_an_extension_goes_when_nothing_uses_it_any_more(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(words())
    first = project.autogenerate("first")
    assert first is not None
    assert "op.create_extension('citext')" in first.read_text()
    assert "op.create_extension('pg_trgm')" in first.read_text()
    project.upgrade()
    metadata = words()
    metadata.tables["word"].indexes.clear()
    second = project.models(metadata).autogenerate("second")
    assert second is not None
    assert "op.drop_extension('pg_trgm')" in second.read_text()
    assert "citext" not in second.read_text()
    project.upgrade()
    assert project.check()


@pytest.mark.needs_extension("citext")
def test_what_no_extension_brings_is_refused_by_name(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(words("gin_unheard_of_ops"))
    with pytest.raises(CommandError, match="gin_unheard_of_ops"):
        project.autogenerate("first")
