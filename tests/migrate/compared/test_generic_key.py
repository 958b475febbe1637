"""Foreign keys on columns that are compared by an operator of many types, which change beside.

The server cannot make such a key anew when a column of it becomes longer (`could not find cast`).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Enum,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT4RANGE

from tests.migrate.compared.case import Case, take


def coded(kind: Any, referred: Any, own: Any) -> MetaData:
    metadata = MetaData()
    Table(
        "code",
        metadata,
        Column("kind", kind),
        Column("code", referred),
        UniqueConstraint("kind", "code", name="once"),
    )
    key = ForeignKeyConstraint(["kind", "code"], ["code.kind", "code.code"], name="known")
    Table("used", metadata, Column("kind", kind), Column("code", own), key)
    return metadata


def longer(kind: Any, value: str, referred: Any, own: Any, calls: list[str]) -> Case:
    short = String(10)
    return Case(
        partial(coded, kind, referred, own),
        ["remove_constraint", *calls, "add_constraint"],
        partial(coded, kind, short, short),
        f"INSERT INTO code VALUES ({value}, 'a'); INSERT INTO used VALUES ({value}, 'a')",
        "SELECT kind::text, code::text FROM used JOIN code USING (kind, code)",
    )


KIND = Enum("new", "old", name="kind")
ONE, BOTH = ["change_column"], ["change_column", "change_column"]
CASES = {
    "an enum, itself": longer(KIND, "'new'", String(10), String(20), ONE),
    "an enum, where it refers to": longer(KIND, "'new'", String(20), String(10), ONE),
    "an enum, at both ends": longer(KIND, "'new'", String(20), String(20), BOTH),
    "a range": longer(INT4RANGE(), "'[1,2)'", String(10), String(20), ONE),
    "an array": longer(ARRAY(Integer), "'{1}'", String(10), String(20), ONE),
}


@pytest.mark.parametrize("name", CASES)
def test_a_key_makes_way_for_a_length(name: str, database_url: str, tmp_path: Path) -> None:
    take(CASES[name], database_url, tmp_path / "project")
