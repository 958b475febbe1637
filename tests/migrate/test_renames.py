"""A hint in the models makes a rename of what would be a drop and an add."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.util import CommandError

from pgmigrations.declare import RenamedLabel, declare, renamed_from
from pgmigrations.migrate import copied
from pgmigrations.migrate.core import dump as dump_module
from tests.migrate.renaming import at, body, book, dump, integer, number, run
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


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


def test_check_shows_a_rename_as_a_change_of_the_name(project: Project) -> None:
    state: sa.Column[Any] = sa.Column("state", sa.Enum("new", "done", name="state"))
    at(project, book(integer("year"), state))
    state = sa.Column("state", sa.Enum("new", "ready", name="state"))
    metadata = book(integer("published", "year"), state, name="volume", was="book")
    declare(metadata, RenamedLabel("state", "done", "ready"))
    config, output = project.models(metadata)._config("check")
    with pytest.raises(CommandError, match="differ"):
        command.check(config)
    shown = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    for name, actual, declared in (
        ("table volume", "book", "volume"),
        ("column published", "year", "published"),
        ("sequence volume_id_seq", "book_id_seq", "volume_id_seq"),
    ):
        place = shown.index(name)
        lines = shown[place + 1 : place + 4]
        assert lines == ["name", f"- actual {actual}", f"+ declared {declared}"], shown
    place = shown.index("enum state")
    assert shown[place + 1 : place + 4] == ["label", "- actual done", "+ declared ready"]


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
    assert "renaming.py:" in line
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


def test_an_index_of_another_table_is_another_index(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    def models(*, is_after: bool) -> sa.MetaData:
        index = sa.Index("two", "year", info=renamed_from("one"))
        metadata = book(integer("year"), *([] if is_after else [sa.Index("one", "year")]))
        sa.Table("page", metadata, integer("year"), *([index] if is_after else []))
        return metadata

    at(project, models(is_after=False))
    revision = project.models(models(is_after=True)).autogenerate()
    assert "rename" not in body(revision)
    assert "names nothing that is there" in warnings(caplog)[0]


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
    values = sa.Column("value", sa.Text, server_default="1")
    at(project, book(integer("year"), integer("gone", server_default="1"), number(), values))
    before = dump(project)
    label: sa.Column[Any] = sa.Column("label", sa.Enum("a", "b", name="label"))
    count = integer("count", "value", server_default="1")
    columns = (integer("published", "year", index=True), label, count)
    at(project, book(*columns, name="volume", was="book"))
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
