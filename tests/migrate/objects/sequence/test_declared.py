"""Sequences that models declare."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData, Sequence

from tests.support.project import Project
from tests.support.script import run_script


def test_a_sequence_alone_in_its_schema_is_seen(tmp_path: Path, database_url: str) -> None:
    run_script(database_url, "CREATE SCHEMA counters")
    metadata = MetaData()
    Sequence("counter", schema="counters", metadata=metadata)
    project = Project(tmp_path / "project", database_url).models(metadata)
    assert project.autogenerate() is not None
    project.upgrade()
    assert project.check()
