"""A hint in the models makes a rename of what would be a drop and an add."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

from pgmigrations.declare import RenamedLabel, declare, renamed_from
from pgmigrations.migrate import copied
from pgmigrations.migrate.core import dump as dump_module
from tests.support.dump import schema_dump
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


def book(*columns: SchemaItem, name: str = "book", was: str | None = None) -> sa.MetaData:
    """One table with a key of its own and whatever else."""
    metadata = sa.MetaData()
    key = sa.Column("id", sa.Integer, primary_key=True)
    info = renamed_from(was) if was else {}
    sa.Table(name, metadata, key, *columns, info=info)
    return metadata


def integer(name: str, was: str | None = None, **keywords: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, info=renamed_from(was) if was else {}, **keywords)


def at(project: Project, metadata: sa.MetaData) -> None:
    """Bring the database to models."""
    assert project.models(metadata).autogenerate() is not None
    project.upgrade()


def run(project: Project, sql: str) -> list[Any]:
    with sa.create_engine(project.url, poolclass=NullPool).begin() as connection:
        found = connection.exec_driver_sql(sql)
        return list(map(tuple, found)) if found.returns_rows else []


def body(revision: Path | None) -> str:
    """Return the upgrade of a revision, comments unwrapped."""
    assert revision is not None
    text = revision.read_text().partition("def upgrade")[2].partition("def downgrade")[0]
    return " ".join(line.strip().removeprefix("# ") for line in text.splitlines())


def test_rows_are_kept_through_renames_and_a_change_of_type(project: Project) -> None:
    at(project, book(integer("year", nullable=False)))
    before = dump(project)
    run(project, "INSERT INTO book (year) VALUES (1999)")
    column = sa.Column("published", sa.Text, nullable=False, info=renamed_from("year"))
    at(project, book(column, integer("more"), name="volume", was="book"))
    assert run(project, "SELECT id, published FROM volume") == [(1, "1999")]
    assert project.check()
    project.downgrade()
    assert run(project, "SELECT id, year FROM book") == [(1, 1999)]
    assert dump(project) == before


def dump(project: Project) -> str:
    return schema_dump(project.url, exclude_tables=["pgmigrations"])


def test_each_name_that_hangs_on_the_old_one_follows(project: Project) -> None:
    columns = (integer("year", nullable=False, unique=True, index=False), number())
    at(project, book(*columns))
    columns = (integer("published", "year", nullable=False, unique=True, index=False), number())
    at(project, book(*columns, name="volume", was="book"))
    names = run(
        project,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION SELECT conname FROM pg_constraint WHERE conrelid > 16384",
    )
    assert [name for (name,) in names if "book" in name or "year" in name] == []


def number() -> sa.Column[Any]:
    return sa.Column("number", sa.Integer, sa.Identity(), nullable=False)


def test_a_name_that_somebody_chose_is_no_name_of_the_table(project: Project) -> None:
    chosen = sa.CheckConstraint("id > 0", name="book_check_by_hand")
    at(project, book(chosen))
    chosen = sa.CheckConstraint("id > 0", name="book_check_by_hand")
    revision = project.models(book(chosen, name="volume", was="book")).autogenerate()
    assert "book_check_by_hand" not in body(revision)


def test_a_hint_is_obsolete_once_the_database_has_the_name(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    at(project, book(integer("year")))
    at(project, book(integer("published", "year")))
    caplog.clear()
    assert project.check()
    (line,) = warnings(caplog)
    assert line.startswith("The hint renamed_from('year') on column book.published (")
    assert "test_renames.py:" in line
    assert "obsolete" in line


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_fresh_database_has_nothing_to_rename(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    revision = project.models(
        book(integer("published", "year"), name="volume", was="book")
    ).autogenerate()
    assert "rename" not in body(revision)
    assert warnings(caplog) == []


def test_a_slip_in_a_hint_is_said(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    at(project, book(integer("year")))
    revision = project.models(book(integer("published", "yaer"))).autogenerate()
    (line,) = warnings(caplog)
    assert "names nothing that is there" in line
    assert "add info=renamed_from('year') to the column" in body(revision)


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


def test_an_index_of_another_table_is_refused(project: Project) -> None:
    metadata = book(integer("year", index=True))
    sa.Table("page", metadata, sa.Column("book", sa.Integer))
    at(project, metadata)
    metadata = book(integer("year", index=False))
    page = sa.Table("page", metadata, sa.Column("book", sa.Integer))
    sa.Index("ix_page_book", page.c.book, info=renamed_from("ix_book_year"))
    project.models(metadata)
    with pytest.raises(CommandError, match=r"ix_book_year is in public\.book"):
        project.autogenerate()


def test_a_constraint_without_a_name_takes_no_hint(project: Project) -> None:
    project.models(book(sa.CheckConstraint("id > 0", info=renamed_from("positive"))))
    with pytest.raises(
        CommandError, match=r"renamed_from\('positive'\) is on a constraint of book"
    ):
        project.autogenerate()


def test_what_the_projects_filter_leaves_out_is_not_renamed(project: Project) -> None:
    env = project.path / "alembic" / "env.py"
    at(project, book(integer("year")))
    env.write_text(
        env.read_text().replace(
            "configure_arguments(metadata)",
            "configure_arguments(metadata, include_object=lambda item, name, type_, *_: "
            "type_ != 'column' or name not in ('year', 'published'))",
        )
    )
    project.models(book(integer("published", "year")))
    assert project.autogenerate() is None


def test_only_a_hint_that_holds_costs_a_copy(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(project, book(integer("year"), integer("kept", "was")))
    copies: list[object] = []
    dumped = dump_module.schema_dump

    def counted(target: sa.Connection) -> str:
        copies.append(target)
        return dumped(target)

    monkeypatch.setattr(copied, "schema_dump", counted)
    assert project.check()
    assert not copies
    project.models(book(integer("published", "year"), integer("kept")))
    assert not project.check()
    assert len(copies) == 1
    # The proof's copies are made from the same dump.
    assert project.autogenerate() is not None
    assert len(copies) == 2


def test_a_rename_without_a_proof_leads_back_all_the_same(
    tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url, settings={"prove": "no"})
    at(project, book(integer("year"), integer("gone", server_default="1"), number()))
    before = dump(project)
    label: sa.Column[Any] = sa.Column("label", sa.Enum("a", "b", name="label"))
    at(project, book(integer("published", "year", index=True), label, name="volume", was="book"))
    after = dump(project)
    project.downgrade()
    assert dump(project) == before
    project.again(project.revisions()[-1], "downgrade")
    assert dump(project) == before
    project.upgrade()
    assert dump(project) == after


def test_a_renamed_table_takes_partitions_and_views_along(project: Project) -> None:
    def measures(name: str, was: str | None = None) -> sa.MetaData:
        metadata = sa.MetaData()
        columns = [sa.Column("day", sa.Date, primary_key=True), integer("value", nullable=False)]
        info = renamed_from(was) if was else {}
        sa.Table(name, metadata, *columns, postgresql_partition_by="RANGE (day)", info=info)
        return metadata

    at(project, measures("measure"))
    run(
        project,
        "CREATE TABLE part PARTITION OF measure FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE VIEW latest AS SELECT max(day) AS day FROM measure;"
        "INSERT INTO measure VALUES ('2026-05-05', 1)",
    )
    before = dump(project)
    at(project, measures("reading", "measure"))
    assert run(project, "SELECT * FROM latest, part, reading") != []
    assert project.check()
    project.downgrade()
    assert dump(project) == before


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
        "index one is dropped and two added: if that is a rename, add "
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


def test_a_label_is_renamed_in_another_schema(project: Project) -> None:
    def jobs(label: str) -> sa.MetaData:
        metadata = sa.MetaData(schema="work")
        state = sa.Enum("new", label, name="state", schema="work")
        sa.Table("job", metadata, sa.Column("state", state, server_default=label))
        return metadata

    run(project, "CREATE SCHEMA work")
    at(project, jobs("done"))
    run(project, "INSERT INTO work.job DEFAULT VALUES")
    metadata = jobs("ready")
    declare(metadata, RenamedLabel("state", "done", "ready", schema="work"))
    at(project, metadata)
    assert run(project, "SELECT state::text FROM work.job") == [("ready",)]
    project.downgrade()
    assert run(project, "SELECT state::text FROM work.job") == [("done",)]
