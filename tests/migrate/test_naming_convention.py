"""A naming convention that the models get later changes nothing that earlier revisions make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, Table
from sqlalchemy.dialects.postgresql import INT4RANGE, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

from pgmigrations.declare import renamed_from
from tests.migrate.renaming import at, body, dump
from tests.support.convention import CONVENTION
from tests.support.database import Databases
from tests.support.project import Project
from tests.support.script import run_script

LONG = "t" * 60

# What a constraint has by a convention may be made of the name that it has without.
WRAPPING = {key: f"{key}_%(constraint_name)s" for key in ("uq", "fk", "ck")}


def metadata(convention: dict[str, str] | None = None) -> MetaData:
    return MetaData(naming_convention=convention)


def node(
    metadata: MetaData, *, name: str = "t", schema: str | None = None, bare: bool = False
) -> MetaData:
    """A table with an unnamed constraint of every sort, or only with its key."""
    target = f"{schema}.{name}.id" if schema else f"{name}.id"
    elements: list[SchemaItem] = [Column("n", Integer), Column("p", Integer)]
    if not bare:
        check = CheckConstraint("n > 0", name="n" if "ck" in metadata.naming_convention else None)
        elements = [
            Column("n", Integer, unique=True),
            Column("p", ForeignKey(target)),
            check,
        ]
    Table(name, metadata, Column("id", Integer, primary_key=True), *elements, schema=schema)
    return metadata


def job(
    metadata: MetaData, name: str = "job", was: str | None = None, *, unique: bool = True
) -> MetaData:
    key = Column("id", Integer, primary_key=True)
    info = renamed_from(was) if was else {}
    Table(name, metadata, key, Column("name", Integer, unique=unique), info=info)
    return metadata


def taken_names(metadata: MetaData) -> MetaData:
    """Another table's index has the name that the server would choose."""
    Table("a", metadata, Column("x", Integer), sa.Index("t_n_key", "x"))
    return node(metadata)


def named(metadata: MetaData) -> MetaData:
    """Names that the models say themselves."""
    Table(
        "t",
        metadata,
        Column("id", Integer),
        Column("n", Integer),
        sa.PrimaryKeyConstraint("id", name="by_id"),
        sa.UniqueConstraint("n", name="by_n"),
        sa.ForeignKeyConstraint(["n"], ["t.id"], name="to_id"),
        CheckConstraint("n > 0", name="positive"),
    )
    return metadata


def dotted(metadata: MetaData) -> MetaData:
    """A foreign key that is rendered by tables of its own."""
    table = Table("a.b", metadata, Column("id", Integer, primary_key=True))
    Table("t", metadata, Column("p", ForeignKey(table.c.id)))
    return metadata


def partitioned(metadata: MetaData) -> MetaData:
    keys = [Column("id", Integer, primary_key=True), Column("d", Integer, primary_key=True)]
    Table("p", metadata, *keys, postgresql_partition_by="RANGE (d)")
    return metadata


def one_key_of_two(metadata: MetaData) -> MetaData:
    Table("t", metadata, Column("id", Integer, primary_key=True), sa.UniqueConstraint("id"))
    return metadata


def equal_ones(metadata: MetaData, *, bare: bool = False) -> MetaData:
    """Two that the server makes one of, and two that it makes both of."""
    table = Table("t", metadata, Column("id", Integer, primary_key=True), Column("n", Integer))
    if not bare:
        for _ in range(2):
            table.append_constraint(sa.UniqueConstraint("n"))
            table.append_constraint(sa.ForeignKeyConstraint(["n"], ["t.id"]))
    return metadata


def inheriting(metadata: MetaData, *, bare: bool = False) -> MetaData:
    parent = node(metadata, bare=bare).tables["t"]
    own = Column("own", Integer, unique=not bare)
    child = Table("child", metadata, own, postgresql_inherits="t")
    child.add_is_dependent_on(parent)
    return metadata


def excluding(metadata: MetaData, *, bare: bool = False) -> MetaData:
    range_ = Column("r", INT4RANGE)
    Table("t", metadata, range_, *([] if bare else [ExcludeConstraint((range_, "&&"))]))
    return metadata


def checks_of_types(metadata: MetaData) -> MetaData:
    name = "flag" if "ck" in metadata.naming_convention else None
    flag = sa.Boolean(create_constraint=True, name=name)
    kind = sa.Enum("a", "b", name="kind", native_enum=False, create_constraint=True)
    Table("t", metadata, Column("flag", flag), Column("kind", kind))
    return metadata


HISTORIES: dict[str, list[Callable[[], MetaData]]] = {
    "constraints dropped with it": [
        lambda: node(metadata()),
        lambda: node(metadata(CONVENTION), bare=True),
    ],
    "constraints renamed by it": [
        lambda: node(metadata()),
        lambda: node(metadata(CONVENTION)),
    ],
    "constraints dropped before it": [
        lambda: node(metadata()),
        lambda: node(metadata(), bare=True),
        lambda: node(metadata(CONVENTION), bare=True),
    ],
    "constraints added before it": [
        lambda: node(metadata(), bare=True),
        lambda: node(metadata()),
        lambda: node(metadata(CONVENTION), bare=True),
    ],
    "table renamed before it": [
        lambda: job(metadata()),
        lambda: job(metadata(), "task", "job"),
        lambda: job(metadata(CONVENTION), "task"),
    ],
    "table renamed with it": [
        lambda: job(metadata()),
        lambda: job(metadata(CONVENTION), "task", "job"),
    ],
    "table renamed after it": [
        lambda: job(metadata()),
        lambda: job(metadata(CONVENTION)),
        lambda: job(metadata(CONVENTION), "task", "job"),
    ],
    "table dropped before it": [
        lambda: job(node(metadata())),
        lambda: job(metadata()),
        lambda: job(metadata(CONVENTION)),
    ],
    "another schema": [
        lambda: node(metadata(), schema="s"),
        lambda: node(metadata(CONVENTION), schema="s", bare=True),
    ],
    "names cut": [
        lambda: node(metadata(), name=LONG),
        lambda: node(metadata(CONVENTION), name=LONG, bare=True),
    ],
    "names taken": [
        lambda: taken_names(metadata()),
        lambda: node(metadata(CONVENTION), bare=True),
    ],
    "names said": [
        lambda: named(metadata()),
        lambda: named(metadata(WRAPPING)),
    ],
    "names with dots": [
        lambda: dotted(metadata()),
        lambda: dotted(metadata(CONVENTION)),
    ],
    "partitions": [
        lambda: partitioned(metadata()),
        lambda: partitioned(metadata(CONVENTION)),
    ],
    "one key of two": [
        lambda: one_key_of_two(metadata()),
        lambda: job(metadata(CONVENTION), "t", unique=False),
    ],
    "equal ones": [
        lambda: equal_ones(metadata()),
        lambda: equal_ones(metadata(CONVENTION), bare=True),
    ],
    "inheritance": [
        lambda: inheriting(metadata()),
        lambda: inheriting(metadata(CONVENTION), bare=True),
    ],
    "exclusion": [
        lambda: excluding(metadata()),
        lambda: excluding(metadata(CONVENTION), bare=True),
    ],
    "checks of types": [
        lambda: checks_of_types(metadata()),
        lambda: checks_of_types(metadata(CONVENTION)),
    ],
}


@pytest.mark.parametrize("history", HISTORIES)
def test_a_fresh_database_becomes_what_the_old_one_is(
    history: str, databases: Databases, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url)
    for models in HISTORIES[history]:
        at(project, models())
    assert project.check()
    old = dump(project)
    with databases.fresh() as fresh:
        project.on(fresh).upgrade()
        assert dump(project) == old
        assert project.check()
        project.downgrade("base")
    with databases.fresh() as fresh:
        run_script(fresh, project.on(fresh).sql("upgrade"))
        assert dump(project) == old


def test_the_models_keep_constraints_without_names(tmp_path: Path, database_url: str) -> None:
    models = node(metadata())
    project = Project(tmp_path / "project", database_url).models(models)
    text = body(project.autogenerate())
    for one in ("t_pkey", "t_n_key", "t_p_fkey", "t_n_check"):
        assert f"name=op.f('{one}')" in text
    assert {one.name for one in models.tables["t"].constraints} == {None}
