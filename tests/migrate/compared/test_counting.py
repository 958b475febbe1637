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
    Numeric,
    Sequence,
    SmallInteger,
    Table,
    create_engine,
)
from sqlalchemy.dialects.postgresql import DOMAIN
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


def drawn(name: str, type_: Any = Integer, *, beside: str = "", **options: Any) -> MetaData:
    metadata = MetaData()
    sequence = Sequence(name, metadata=metadata, **options)
    if beside:
        Sequence(beside, metadata=metadata)
    column = Column("id", type_, server_default=sequence.next_value(), primary_key=True)
    Table("one", metadata, column, Column("turn", Integer))
    return metadata


def beside(*arguments: Any, name: str) -> MetaData:
    """A column that is numbered in some way beside a free sequence."""
    metadata = numbered(Integer, *arguments, autoincrement=bool(arguments))
    Sequence(name, metadata=metadata)
    return metadata


def whole() -> Any:
    return DOMAIN("whole", Numeric(12, 0))


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
    "another free sequence that stays": (
        partial(drawn, "s", beside="other"),
        partial(drawn, "other", beside="s"),
    ),
    "an identity beside the sequence that was drawn from": (
        partial(drawn, "s"),
        partial(beside, Identity(), name="s"),
    ),
    "an identity instead of numbers that are no integers": (
        partial(drawn, "s", Numeric(12, 0)),
        partial(numbered, BigInteger, Identity()),
    ),
    "another free sequence, of a domain": (
        partial(drawn, "s", whole()),
        partial(drawn, "other", whole()),
    ),
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


@pytest.mark.parametrize(("place", "next_place"), [(1, 1001), (5000, 5001)])
def test_a_sequence_that_others_count_by_goes_behind_the_rows_and_never_back(
    place: int, next_place: int, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(beside(name="s"))
    project.autogenerate("before")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO one (id) VALUES (1000)")
        connection.exec_driver_sql(f"SELECT setval('s', {place})")
    project.models(drawn("s"))
    project.autogenerate("after")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        assert connection.exec_driver_sql("SELECT nextval('s')").scalar_one() == next_place


def test_a_sequence_goes_behind_the_rows_of_every_table_that_comes_to_share_it(
    database_url: str, tmp_path: Path
) -> None:
    def counted(is_shared: bool) -> MetaData:
        metadata = MetaData()
        for name in ("one", "two"):
            own = Sequence("shared" if is_shared else f"of_{name}", metadata=metadata)
            column = Column("id", Integer, server_default=own.next_value(), primary_key=True)
            Table(name, metadata, column, Column("turn", Integer))
        return metadata

    project = Project(tmp_path / "project", database_url).models(counted(False))
    project.autogenerate("before")
    project.upgrade()
    _insert(database_url, "one", 3)
    _insert(database_url, "two", 30)
    project.models(counted(True)).autogenerate("after")
    project.upgrade()
    _insert(database_url, "one", 40)
    _insert(database_url, "two", 40)
    project.downgrade()
    _insert(database_url, "one", 90)
    _insert(database_url, "two", 90)


def test_rows_beyond_the_end_hide_none_of_those_before_it(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url)
    project.models(numbered(Integer, autoincrement=False)).autogenerate("before")
    project.upgrade()
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO one (id) VALUES (-7), (-3), (900)")
    project.models(numbered(Integer, Identity(start=-10, minvalue=-10, maxvalue=800)))
    project.autogenerate("after")
    project.upgrade()
    _insert(database_url)


@pytest.mark.parametrize(
    "before", [partial(drawn, "one_id_seq"), partial(beside, name="one_id_seq")]
)
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


def _insert(url: str, table: str = "one", count: int = _COUNT) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for _ in range(count):
            connection.exec_driver_sql(f"INSERT INTO {table} (turn) VALUES (1)")
