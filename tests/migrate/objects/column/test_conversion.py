"""Rows that go through a change of their column's type and back, by generated revisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from sqlalchemy import (
    ARRAY,
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    create_engine,
)
from sqlalchemy.dialects.postgresql import DOMAIN, JSONB
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.objects.column.conversion import using
from tests.support.database import Databases
from tests.support.project import Project
from tests.support.script import run_script

Build = Callable[[], Any]


class Case(NamedTuple):
    """A change of type.

    Attributes:
        before: The type.
        after: The type afterwards.
        rows: Values, as the server prints them, and what becomes of each.
        back: What the values are after the way back, where they are not as before.
        defaults: The column's default before and after.
    """

    before: Build
    after: Build
    rows: dict[str | None, str | None]
    back: Mapping[str | None, str | None] = MappingProxyType({})
    defaults: tuple[str, str] | None = None


def mood() -> Enum:
    return Enum("low", "high", name="mood")


def other() -> Enum:
    return Enum("low", "high", "other", name="other")


def zoned() -> DateTime:
    return DateTime(timezone=True)


def array(item: Build) -> Build:
    return lambda: ARRAY(item())


def bytea(text: str) -> str:
    return "\\x" + text.encode().hex()


BACKSLASHES = ("$2b$12$abc", "a\\101b", "C:\\temp", "\\x6162", "ä")
KEY = "00000000-0000-0000-0000-00000000000a"

CASES: dict[str, dict[str, Case]] = {
    "texts and enums": {
        "varchar to integer": Case(lambda: String(9), Integer, {"7": "7", None: None}),
        "varchar to integer, defaults": Case(String, Integer, {"7": "7"}, defaults=("8", "8")),
        "text to enum": Case(Text, mood, {"low": "low", None: None}, defaults=("low", "high")),
        "enum to text": Case(mood, Text, {"low": "low"}, defaults=("low", "high")),
        "enum to varchar": Case(mood, lambda: String(4), {"high": "high"}),
        "enum to another": Case(mood, other, {"low": "low", None: None}, defaults=("low", "high")),
        "enum to integer and back": Case(
            lambda: Enum("1", "2", name="digit"), Integer, {"1": "1"}, defaults=("1", "2")
        ),
        "text to uuid": Case(Text, Uuid, {KEY: KEY, None: None}, defaults=(KEY, KEY)),
        "uuid to varchar": Case(Uuid, lambda: String(36), {KEY: KEY}),
        "text to bytea": Case(Text, LargeBinary, {text: bytea(text) for text in BACKSLASHES}),
        "varchar to bytea": Case(
            lambda: String(12), LargeBinary, {text: bytea(text) for text in BACKSLASHES}
        ),
        "char to bytea": Case(lambda: CHAR(4), LargeBinary, {"a\\\\1": bytea("a\\\\1")}),
        "bytea to text": Case(LargeBinary, Text, {bytea(text): text for text in BACKSLASHES}),
        "bytea to varchar": Case(LargeBinary, lambda: String(9), {bytea("C:\\temp"): "C:\\temp"}),
        "enum to bytea": Case(mood, LargeBinary, {"low": bytea("low"), None: None}),
        "domain of text to one of bytea": Case(
            lambda: DOMAIN("folder", Text()),
            lambda: DOMAIN("raw_folder", LargeBinary()),
            {text: bytea(text) for text in BACKSLASHES},
        ),
        "text to boolean": Case(Text, Boolean, {"true": "true"}),
        "text to date": Case(Text, Date, {"2024-05-06": "2024-05-06"}),
    },
    "json": {
        "json to jsonb": Case(JSON, JSONB, {'{"a": 1}': '{"a": 1}'}, defaults=("{}", "{}")),
        "text to jsonb": Case(Text, JSONB, {'{"a": 1}': '{"a": 1}', None: None}),
        "integer to jsonb": Case(Integer, JSONB, {"7": "7", None: None}, defaults=("1", "1")),
        "json to bytea": Case(
            JSON, LargeBinary, {'"C:\\\\temp"': bytea('"C:\\\\temp"'), None: None}
        ),
        "date to json": Case(Date, JSON, {"2024-05-06": '"2024-05-06"', None: None}),
    },
    "arrays": {
        "enums to texts": Case(array(mood), array(Text), {"{low,high}": "{low,high}", "{}": "{}"}),
        "enums to others": Case(array(mood), array(other), {"{low,NULL}": "{low,NULL}"}),
        "integer to integers": Case(Integer, array(Integer), {"7": "{7}", None: None}),
        "varchar to integers": Case(lambda: String(3), array(Integer), {"7": "{7}", None: None}),
        "enum to enums": Case(mood, array(mood), {"low": "{low}"}, defaults=("low", "{low}")),
        "text to enums": Case(Text, array(mood), {"low": "{low}", None: None}),
        "timestamp to timestamps with zone": Case(
            DateTime, array(zoned), {"2024-05-06 07:08:00": '{"2024-05-06 17:08:00+10"}'}
        ),
        "integers to texts": Case(array(Integer), array(Text), {"{1,2}": "{1,2}"}),
        "integers to bigints": Case(array(Integer), array(BigInteger), {"{1,NULL}": "{1,NULL}"}),
        "texts to integers": Case(array(Text), array(Integer), {"{1,2}": "{1,2}"}),
    },
    "times": {
        "timestamp to timestamptz": Case(
            DateTime,
            zoned,
            {"2024-05-06 07:08:00": "2024-05-06 17:08:00+10", "infinity": "infinity"},
        ),
        "timestamptz to timestamp": Case(
            zoned, DateTime, {"2024-05-06 17:08:00+10": "2024-05-06 07:08:00"}
        ),
        "date to timestamptz": Case(Date, zoned, {"2024-05-06": "2024-05-06 10:00:00+10"}),
        "text to timestamptz": Case(
            Text,
            zoned,
            {
                "2024-05-06 07:08:00": "2024-05-06 17:08:00+10",
                "2024-05-06 07:08:00+05": "2024-05-06 12:08:00+10",
            },
            back={
                "2024-05-06 07:08:00": "2024-05-06 07:08:00+00",
                "2024-05-06 07:08:00+05": "2024-05-06 02:08:00+00",
            },
        ),
        "timestamptz to text": Case(
            zoned, Text, {"2024-05-06 17:08:00+10": "2024-05-06 07:08:00+00", None: None}
        ),
    },
    "numbers": {
        "numeric to integer": Case(
            lambda: Numeric(9, 2), Integer, {"7.60": "8"}, back={"7.60": "8.00"}
        ),
        "bigint to smallint": Case(BigInteger, SmallInteger, {"7": "7", None: None}),
        "integer to boolean": Case(
            Integer, Boolean, {"0": "false", "1": "true", None: None}, defaults=("1", "true")
        ),
        "bigint to boolean": Case(BigInteger, Boolean, {"0": "false", "1": "true"}),
        "numeric to boolean": Case(Numeric, Boolean, {"0": "false", "1": "true", None: None}),
        "boolean to smallint": Case(Boolean, SmallInteger, {"true": "1", "false": "0"}),
    },
}


def models(cases: Sequence[Case], *, changed: bool) -> MetaData:
    metadata = MetaData()
    columns = [
        Column(
            f"c{number}",
            (case.after if changed else case.before)(),
            server_default=case.defaults[changed] if case.defaults else None,
        )
        for number, case in enumerate(cases)
    ]
    Table(
        "t", metadata, Column("id", Integer, primary_key=True), Column("place", Integer), *columns
    )
    return metadata


def values(url: str, cases: Sequence[Case]) -> list[list[str | None]]:
    """Read the values of each column, in the order in which they were written."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [
            list(
                connection.exec_driver_sql(
                    f"SELECT c{number}::text FROM t WHERE place = {number} ORDER BY id"
                ).scalars()
            )
            for number, _ in enumerate(cases)
        ]


def filled(url: str, cases: Sequence[Case]) -> str:
    """Write every column's values, in rows of their own."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for number, case in enumerate(cases):
            type_ = connection.exec_driver_sql(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                f" WHERE attrelid = 't'::regclass AND attname = 'c{number}'"
            ).scalar_one()
            for value in case.rows:
                connection.exec_driver_sql(
                    f"INSERT INTO t (place, c{number}) VALUES (%s, %s::text::{type_})",
                    (number, value),
                )
    return url


def far_from_utc(url: str) -> str:
    """Let every session have a zone in which a conversion that forgets the zone shows."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET TimeZone = 'Australia/Brisbane'")
    return url


@pytest.mark.parametrize("name", CASES)
def test_rows_come_through_a_change_of_type_and_back(
    name: str, databases: Databases, tmp_path: Path
) -> None:
    cases = [*CASES[name].values()]
    wanted = [[*case.rows.values()] for case in cases]
    before = [[*case.rows] for case in cases]
    back = [[case.back.get(row, row) for row in case.rows] for case in cases]
    with databases.fresh() as url, databases.fresh() as offline:
        project = Project(tmp_path / "project", far_from_utc(url))
        project.models(models(cases, changed=False)).autogenerate("before")
        project.upgrade()
        run_script(far_from_utc(offline), project.sql("upgrade"))
        for one in (url, offline):
            assert values(filled(one, cases), cases) == before
        revision = project.models(models(cases, changed=True)).autogenerate("after")
        assert revision is not None
        for _ in range(2):
            project.again(revision)
            assert values(url, cases) == wanted
            run_script(offline, project.again_sql(revision))
            assert values(offline, cases) == wanted
        project.upgrade()
        assert project.check()
        for _ in range(2):
            project.again(revision, "downgrade")
            assert values(url, cases) == back
            run_script(offline, project.again_sql(revision, "downgrade"))
            assert values(offline, cases) == back


def test_the_server_says_which_cast_there_is(database_url: str) -> None:
    run_script(database_url, "CREATE TYPE mood AS ENUM ('1', '2')")
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        assert using(connection, "c", "integer", "public.mood") == '"c"::text::public.mood'
        connection.exec_driver_sql("CREATE CAST (integer AS mood) WITH INOUT")
        assert using(connection, "c", "integer", "public.mood") == '"c"::public.mood'
        connection.exec_driver_sql("DROP CAST (integer AS mood)")
        connection.exec_driver_sql("CREATE CAST (integer AS mood) WITH INOUT AS ASSIGNMENT")
        assert using(connection, "c", "integer", "public.mood") is None
        # Over text from what is not there yet.
        assert using(connection, "c", "public.mood", "public.other") == '"c"::text::public.other'
