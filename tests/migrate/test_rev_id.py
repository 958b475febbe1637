"""`alembic revision --rev-id`: an id that no later command would take is not written."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.util import CommandError

from tests.support.project import Project


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("é", "no usable revision id: 'é'"),
        ("a b", "no usable revision id: 'a b'"),
        ("a" * 256, "256 characters"),
        ("001_first", "same revision id 001_first"),
        ("001_other", r"001_first\.py and 001_other\.py have the same number"),
    ],
)
@pytest.mark.parametrize("autogenerate", [(), ("--autogenerate",)], ids=["plain", "autogenerate"])
def test_an_unusable_id_is_refused_before_anything_is_written(
    revision: str, told: str, autogenerate: tuple[str, ...], database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url)
    project.run("revision", "-m", "first")
    project.upgrade()
    written = {path: path.read_text() for path in project.revisions()}
    with pytest.raises(CommandError, match=told):
        project.run("revision", *autogenerate, "--rev-id", revision, "-m", "x")
    assert {path: path.read_text() for path in project.revisions()} == written


def test_a_usable_id_is_taken(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url)
    project.run("revision", "--rev-id", "my_own", "-m", "x")
    assert [path.name for path in project.revisions()] == ["my_own.py"]
    project.upgrade()
