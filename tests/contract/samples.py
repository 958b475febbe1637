"""The samples: at least one of every kind."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    Integer,
    MetaData,
    Table,
)

from tests.contract.contract import Sample


def _array() -> MetaData:
    metadata = MetaData()
    mood = Enum("low", "high", name="mood")
    Table(
        "a",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("moods", ARRAY(mood)),
        Column("mood", mood, server_default="low"),
    )
    return metadata


SAMPLES = [Sample("enum", "in a column and in an array", _array)]
