"""What numbers rows: another kind of it, other limits, another direction; none comes twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    create_engine,
)
from sqlalchemy.pool import NullPool

from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project

_COUNT = 9


def numbered(type_: Any = Integer, *arguments: Any, **options: Any) -> MetaData:
    metadata = MetaData()
    column = Column("id", type_, *arguments, primary_key=True, **options)
    Table("one", metadata, column, Column("turn", Integer))
    return metadata


def drawn(name: str, **options: Any) -> MetaData:
    metadata = MetaData()
    sequence = Sequence(name, metadata=metadata, **options)
    column = Column("id", Integer, server_default=sequence.next_value(), primary_key=True)
    Table("one", metadata, column, Column("turn", Integer))
    return metadata


CASES: dict[str, tuple[Callable[[], MetaData], Callable[[], MetaData]]] = {
    "an identity of a wider type, within its limits": (
        partial(numbered, Integer, Identity()),
        partial(numbered, BigInteger, Identity(maxvalue=9_000_000_000)),
    ),
    "an identity of a narrower type, which goes further down": (
        partial(numbered, Integer, Identity(start=-5, minvalue=-40_000)),
        partial(numbered, SmallInteger, Identity(start=-4, minvalue=-4)),
    ),
    "an identity that turns": (
        partial(numbered, Integer, Identity()),
        partial(numbered, Integer, Identity(start=-1, increment=-1)),
    ),
    "an identity that turns within its limits": (
        partial(numbered, Integer, Identity(start=100, minvalue=1, maxvalue=2000)),
        partial(numbered, Integer, Identity(start=1000, increment=-1, minvalue=1, maxvalue=2000)),
    ),
    "a sequence that turns": (
        partial(drawn, "s", start=1, minvalue=-100, maxvalue=100),
        partial(drawn, "s", start=1, minvalue=-100, maxvalue=100, increment=-1),
    ),
    "a sequence that becomes a serial's and turns": (
        partial(drawn, "one_id_seq", increment=-1),
        numbered,
    ),
    "a serial and a free sequence": (numbered, partial(drawn, "s")),
    "an identity and a free sequence": (
        partial(numbered, Integer, Identity()),
        partial(drawn, "s"),
    ),
    "another free sequence": (partial(drawn, "s"), partial(drawn, "other")),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_back", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_no_number_comes_twice(name: str, is_back: bool, database_url: str, tmp_path: Path) -> None:
    before, after = CASES[name][::-1] if is_back else CASES[name]
    project = Project(tmp_path / "project", database_url).models(before())
    project.autogenerate("before")
    project.upgrade()
    _insert(database_url)
    project.models(after())
    project.autogenerate("after")
    project.upgrade()
    assert project.check()
    _insert(database_url)
    project.downgrade()
    _insert(database_url)


def test_a_sequence_that_others_count_by_stays_where_it_is(
    database_url: str, tmp_path: Path
) -> None:
    """Only one that is new has nothing behind it."""
    metadata = numbered(Integer, autoincrement=False)
    Sequence("s", metadata=metadata)
    project = Project(tmp_path / "project", database_url).models(metadata)
    project.autogenerate("before")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO one (id) VALUES (1000)")
        connection.exec_driver_sql("SELECT nextval('s')")
    project.models(drawn("s"))
    project.autogenerate("after")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        assert connection.exec_driver_sql("SELECT nextval('s')").scalar_one() == 2


def beside() -> MetaData:
    metadata = numbered(Integer, autoincrement=False)
    Sequence("one_id_seq", metadata=metadata)
    return metadata


@pytest.mark.parametrize("before", [partial(drawn, "one_id_seq"), beside])
def test_an_identity_gets_its_name_from_a_sequence_that_goes(
    before: Callable[[], MetaData], databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh() as url, databases.fresh() as one, databases.fresh() as two:
        for other, metadata in ((one, before()), (two, numbered(Integer, Identity()))):
            metadata.create_all(create_engine(other, poolclass=NullPool))
        project = Project(tmp_path / "project", url).models(before())
        project.autogenerate("before")
        project.upgrade()
        project.models(numbered(Integer, Identity())).autogenerate("after")
        project.upgrade()
        assert _dump(url) == _dump(two)
        project.downgrade()
        assert _dump(url) == _dump(one)


def _dump(url: str) -> str:
    return schema_dump(url, exclude_tables=["pgmigrations*"])


def _insert(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for _ in range(_COUNT):
            connection.exec_driver_sql("INSERT INTO one (turn) VALUES (1)")
