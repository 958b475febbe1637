"""Hints that cannot be followed as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

from pgmigrations.declare import renamed_from
from tests.migrate.renaming import at, body, book, integer, run
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def test_both_names_in_the_database_are_refused(project: Project) -> None:
    at(project, book(integer("year"), integer("published")))
    project.models(book(integer("published", "year")))
    with pytest.raises(CommandError, match=r"the database has both, year and published"):
        project.autogenerate()
    with pytest.raises(CommandError, match=r"the database has both"):
        project.check()


@pytest.mark.parametrize(
    "after",
    [
        (integer("a", "b"), integer("b", "a")),
        (integer("b", "a"), integer("c", "b")),
        (integer("a"), integer("b"), integer("c", "a")),
    ],
    ids=["swapped", "moved on", "copied"],
)
def test_a_name_that_the_models_still_have_is_refused(
    after: tuple[sa.Column[Any], ...], project: Project
) -> None:
    at(project, book(integer("a"), integer("b")))
    project.models(book(*(column._copy() for column in after)))
    with pytest.raises(CommandError, match=r"moves on|the models declare a, too"):
        project.autogenerate()


def test_two_hints_at_one_name_are_refused(project: Project) -> None:
    at(project, book(integer("year")))
    project.models(book(integer("one", "year"), integer("two", "year")))
    with pytest.raises(CommandError, match=r"year is what one was"):
        project.autogenerate()


def test_a_name_that_something_else_has_is_refused(project: Project) -> None:
    at(project, book(integer("year")))
    run(project, "CREATE VIEW volume AS SELECT 1 AS one")
    project.models(book(integer("year"), name="volume", was="book"))
    with pytest.raises(CommandError, match=r'table book to volume fails: relation "volume" alr'):
        project.autogenerate()


def test_a_hint_may_be_on_a_key_of_a_constraint(project: Project) -> None:
    def models(name: str, was: str | None = None) -> sa.MetaData:
        info = renamed_from(was) if was else {}
        metadata = book()
        key = sa.ForeignKey("book.id", name=name, info=info)
        sa.Table("page", metadata, sa.Column("book", sa.Integer, key))
        return metadata

    at(project, models("one"))
    revision = project.models(models("two", "one")).autogenerate()
    assert "op.rename_constraint('page', 'one', 'two')" in body(revision)


def test_a_constraint_without_a_name_takes_no_hint(project: Project) -> None:
    project.models(book(sa.CheckConstraint("id > 0", info=renamed_from("positive"))))
    with pytest.raises(
        CommandError, match=r"renamed_from\('positive'\) is on a constraint of book"
    ):
        project.autogenerate()


def test_a_name_that_a_type_of_the_models_gets_is_refused(project: Project) -> None:
    at(project, book(integer("year")))
    mood: sa.Column[str] = sa.Column("mood", sa.Enum("low", "high", name="book"))
    project.models(book(mood, integer("year"), name="volume", was="book"))
    with pytest.raises(CommandError, match=r"the models declare book, too"):
        project.autogenerate()
