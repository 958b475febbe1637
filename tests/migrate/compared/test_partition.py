"""Another partition strategy, for which PostgreSQL has no statement, is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from tests.support.project import Project


def event(key: str | None) -> MetaData:
    metadata = MetaData()
    options: dict[str, Any] = {} if key is None else {"postgresql_partition_by": key}
    Table("event", metadata, Column("id", Integer, nullable=False), **options)
    return metadata


@pytest.mark.parametrize(
    ("before", "after"),
    [("RANGE (id)", "HASH (id)"), (None, "RANGE (id)"), ("RANGE (id)", None)],
)
def test_another_partition_strategy_is_refused_by_name(
    before: str | None, after: str | None, database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(event(before))
    project.autogenerate("first")
    project.upgrade()
    project.models(event(after))
    with pytest.raises(
        Exception,
        match=r"table public\.event differs, and no operation expresses how: .*partition_key",
    ):
        project.autogenerate("second")
