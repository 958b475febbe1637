"""A project that does not ask for this extension gets what Alembic alone gives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import Column, Enum, MetaData, Table

from tests.migrate import plain_project
from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project


def without_us(folder: Path, url: str) -> str:
    """Run the plain project in a process of its own, in which no plugin is loaded."""
    program = str(Path(plain_project.__file__))
    output = folder.with_name("output")
    done = subprocess.run(
        [sys.executable, program, str(folder), url, str(output)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return output.read_text()


def test_a_plain_project_is_as_without_us(databases: Databases, tmp_path: Path) -> None:
    with databases.fresh() as without, databases.fresh() as beside, databases.fresh() as ours:
        project = Project(tmp_path / "ours", ours)
        metadata = MetaData()
        Table("t", metadata, Column("e", Enum("a", name="e")))
        assert project.models(metadata).autogenerate()
        project.upgrade()

        expected = without_us(tmp_path / "without", without)
        assert plain_project.run(tmp_path / "beside", beside) == expected
        assert schema_dump(beside) == schema_dump(without)
        assert "version_num VARCHAR(32)" in expected
        # And ours is still ours, after the plain one has run in this process.
        assert project.check()
        assert "version_num VARCHAR(255)" in project.sql("upgrade")
