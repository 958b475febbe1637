"""Without a hint, a rename is said and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

from tests.migrate.renaming import at, body, book, integer, run
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


LIKELY: tuple[tuple[str, Any, Any, str], ...] = (
    (
        "column",
        lambda: book(integer("year")),
        lambda: book(integer("published")),
        "column book.year is dropped and book.published added: if that is a rename, add "
        "info=renamed_from('year') to the column",
    ),
    (
        "table",
        lambda: book(integer("year")),
        lambda: book(integer("year"), name="volume"),
        "table book is dropped and volume added: if that is a rename, add "
        "info=renamed_from('book') to the table",
    ),
    (
        "constraint",
        lambda: book(sa.CheckConstraint("id IN (1, 2)", name="one")),
        lambda: book(sa.CheckConstraint("id IN (1, 2)", name="two")),
        "constraint book.one is dropped and book.two added: if that is a rename, add "
        "info=renamed_from('one') to the constraint",
    ),
    (
        "index",
        lambda: book(sa.Index("one", "id", postgresql_where=sa.text("id > 1"))),
        lambda: book(sa.Index("two", "id", postgresql_where=sa.text("id > 1"))),
        "index book.one is dropped and book.two added: if that is a rename, add "
        "info=renamed_from('one') to the index",
    ),
    (
        "label",
        lambda: book(sa.Column("state", sa.Enum("new", "done", name="state"))),
        lambda: book(sa.Column("state", sa.Enum("new", "ready", name="state"))),
        "label done of enum state is dropped and ready added: if that is a rename, add "
        "declare(metadata, RenamedLabel('state', 'done', 'ready'))",
    ),
)


@pytest.mark.parametrize(
    ("before", "after", "text"), [one[1:] for one in LIKELY], ids=[one[0] for one in LIKELY]
)
def test_a_likely_rename_is_said_and_never_guessed(
    before: Any, after: Any, text: str, project: Project
) -> None:
    at(project, before())
    revision = project.models(after()).autogenerate()
    assert text in body(revision)
    assert "op.rename" not in body(revision)
    project.upgrade()
    assert project.check()


def test_a_check_that_a_restore_prints_differently_is_a_likely_rename(project: Project) -> None:
    def models(name: str) -> sa.MetaData:
        check = sa.CheckConstraint("state IN ('a', 'b')", name=name)
        return book(sa.Column("state", sa.String(9)), check)

    at(project, models("one"))
    ((printed,),) = run(
        project, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one'"
    )
    run(project, f"ALTER TABLE book DROP CONSTRAINT one, ADD CONSTRAINT one {printed}")
    assert "renamed_from('one')" in body(project.models(models("two")).autogenerate())


def test_what_differs_is_no_likely_rename(project: Project) -> None:
    index = sa.Index("one", "id")
    at(project, book(integer("year"), index))
    revision = project.models(
        book(sa.Column("published", sa.Date), sa.Index("two", "published"))
    ).autogenerate()
    assert "renamed_from" not in body(revision)


def test_a_remark_is_no_operation(project: Project) -> None:
    at(project, book(integer("year")))
    project.models(book(integer("published")))
    with pytest.raises(CommandError) as failure:
        project.run("check")
    assert "renamed_from" not in str(failure.value)
    revision = project.autogenerate()
    assert revision is not None
    assert "renamed_from" not in revision.read_text().partition("def downgrade")[2]
