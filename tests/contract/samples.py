"""The samples: at least one of every kind."""

from __future__ import annotations

from functools import partial
from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    Integer,
    MetaData,
    Table,
)

from tests.contract import hurting_names
from tests.contract.contract import Sample


def _array() -> MetaData:
    metadata = MetaData()
    mood = Enum("low", "high", name="mood")
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("moods", ARRAY(mood)),
          Column("mood", mood, server_default="low"))
    return metadata

SAMPLES = [Sample("enum", "in a column and in an array", _array),
*(Sample(kind, f"names that hurt, {where}", partial(build, schema), setup=hurting_names.SETUP)
  for kind, build in (("table", hurting_names.tables), ("index", hurting_names.types_and_indexes), ("constraint", hurting_names.unique_constraints))
  for where, schema in (("public", None), ("another schema", hurting_names.SCHEMA)))
]
