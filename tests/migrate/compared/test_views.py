"""Views are nobody's business here, and stand in the way of what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table

from tests.migrate.compared.case import calls
from tests.support.project import Project
from tests.support.script import run_script

VIEWS = """
CREATE VIEW titles AS SELECT id, number FROM page;
CREATE VIEW more AS SELECT id FROM titles;
CREATE MATERIALIZED VIEW numbers AS SELECT number FROM page;
CREATE INDEX numbers_ix ON numbers (number)"""


def page(*columns: Column[int]) -> MetaData:
    metadata = MetaData()
    Table("page", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


@pytest.fixture
def project(database_url: str, tmp_path: Path) -> Project:
    project = Project(tmp_path / "project", database_url).models(page(Column("number", Integer)))
    project.autogenerate("first")
    project.upgrade()
    run_script(database_url, VIEWS)
    return project


def test_views_are_not_proposed_for_dropping(project: Project) -> None:
    assert project.check()
    assert project.autogenerate("none") is None


def test_what_no_view_shows_changes_beside_them(project: Project) -> None:
    project.models(page(Column("number", Integer), Column("other", Integer)))
    revision = project.autogenerate("second")
    assert revision is not None
    assert calls(revision) == ["add_column"]
    project.upgrade()
    assert project.check()


CHANGES = {
    "another type": page(Column("number", BigInteger)),
    "no column": page(),
    "no table": MetaData(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_view_shows_is_refused_with_its_name_and_what_to_do(
    name: str, project: Project
) -> None:
    with pytest.raises(
        Exception, match=r"failed its proof: .*Something else needs this"
    ) as failure:
        project.models(CHANGES[name]).autogenerate("second")
    assert re.search("view (titles|numbers)", str(failure.value))
    assert "Drop what needs it earlier in the revision" in str(failure.value)
    with pytest.raises(Exception, match=r"Something else needs this.*view (titles|numbers)"):
        project.upgrade()


def test_a_revision_that_takes_the_views_away_for_a_while_is_applied(project: Project) -> None:
    project.models(page(Column("number", BigInteger)))
    with pytest.raises(Exception, match="failed its proof"):
        project.autogenerate("second")
    revision = project.revisions()[-1]
    text = revision.read_text()
    for function in ("upgrade", "downgrade"):
        head, start, rest = text.partition(f"def {function}() -> None:\n")
        body, end, tail = rest.partition("    # ### end Alembic commands ###\n")
        drop = "    op.execute('DROP VIEW titles CASCADE; DROP MATERIALIZED VIEW numbers')\n"
        create = f"    op.execute({VIEWS.replace(chr(10), ' ')!r})\n"
        text = head + start + drop + body + create + end + tail
    revision.write_text(text)
    project.upgrade()
    assert project.check()
    project.downgrade()
    project.upgrade()
    assert project.check()
