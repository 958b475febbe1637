"""Changes to the template's models, each made and taken back by revisions nobody edits."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    DateTime,
    Enum,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    text,
)
from sqlalchemy.pool import NullPool

from app.models import metadata as models
from tests.conftest import DatabaseFrom
from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project

pytestmark = pytest.mark.needs_extension("uuid-ossp", "vector")

Edit = Callable[[MetaData], object]


def edited(*edits: Edit) -> MetaData:
    """Copy the template's models and change the copy."""
    copy = MetaData(naming_convention=models.naming_convention, info=dict(models.info))
    for table in models.tables.values():
        table.to_metadata(copy)
    for edit in edits:
        edit(copy)
    return copy


def labels(*labels_: str) -> Edit:
    def edit(metadata: MetaData) -> None:
        # In place: another Enum would leave this one behind in the metadata.
        type_: Any = metadata.tables["jobs"].c.status.type
        type_.enum_class, type_.enums = None, list(labels_)

    return edit


def column(metadata: MetaData) -> None:
    metadata.tables["jobs"].append_column(Column("queued_at", DateTime(timezone=True)))


def index(metadata: MetaData) -> None:
    jobs = metadata.tables["jobs"]
    Index("idx_jobs_running", jobs.c.started_at, postgresql_where=jobs.c.error_message.is_(None))


def table_with_enum(metadata: MetaData) -> None:
    Table(
        "reviews",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("verdict", Enum("good", "bad", name="verdict"), nullable=False),
        Column("note", String(40), server_default=text("'none'")),
    )


def label_with_user(metadata: MetaData) -> None:
    """Use a new label at once, where the server refuses it before it is committed."""
    labels("pending", "queued", "running", "failed", "done", "canceled")(metadata)
    jobs = metadata.tables["jobs"]
    jobs.append_column(Column("next_status", jobs.c.status.type, server_default="queued"))
    Index("idx_jobs_queued", jobs.c.created_at, postgresql_where=text("status = 'queued'"))


EDITS: dict[str, Edit] = {
    "a column": column,
    "an enum value in the middle": labels(
        "pending", "queued", "running", "failed", "done", "canceled"
    ),
    "enum values first, last and in the middle": labels(
        "new", "pending", "running", "held", "failed", "done", "canceled", "lost"
    ),
    "an index": index,
    "an enum label's removal": labels("pending", "running", "failed", "done"),
    "another order of labels": labels("canceled", "done", "failed", "running", "pending"),
    "labels added and removed": labels("pending", "queued", "running", "done"),
    "a table with an enum used by nothing else": table_with_enum,
    "a label and what uses it": label_with_user,
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_and_its_removal_need_no_editing(
    name: str, tmp_path: Path, first_revision: Path, database_from: DatabaseFrom
) -> None:
    url = database_from("the template's models with rows", migrated(first_revision, tmp_path))
    project = started(tmp_path / "project", url, first_revision)
    before, kept = schema_dump(url), statuses(url)

    project.models(edited(EDITS[name]))
    assert project.autogenerate("edit") is not None
    project.upgrade()
    assert project.check()
    assert project.autogenerate() is None
    changed = schema_dump(url)
    assert changed != before
    assert statuses(url) == kept

    project.models(edited())
    assert project.autogenerate("take back") is not None
    project.upgrade()
    assert project.check()
    assert project.autogenerate() is None
    assert schema_dump(url) == before
    assert statuses(url) == kept

    project.downgrade("-1")
    assert schema_dump(url) == changed
    project.downgrade("-1")
    assert schema_dump(url) == before
    assert statuses(url) == kept


@pytest.fixture(scope="module")
def first_revision(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The revision that autogenerate writes for the unedited models."""
    with databases.fresh() as url:
        project = Project(tmp_path_factory.mktemp("first"), url).models(edited())
        written = project.autogenerate("first")
    assert written is not None
    return written


def started(path: Path, url: str, first_revision: Path) -> Project:
    project = Project(path, url).models(edited())
    (project.versions / first_revision.name).write_text(first_revision.read_text())
    return project


def migrated(first_revision: Path, tmp_path: Path) -> Callable[[str], None]:
    """Fill a template database: every table, and jobs in several states."""

    def build(url: str) -> None:
        started(tmp_path / "template", url, first_revision).upgrade()
        book = uuid.uuid4()
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO textbooks (id, title) VALUES (:book, 'A book')"), {"book": book}
            )
            for status in ("pending", "running", "done"):
                connection.execute(
                    text("INSERT INTO jobs (textbook_id, status) VALUES (:book, :status)"),
                    {"book": book, "status": status},
                )

    return build


def statuses(url: str) -> list[tuple[str, str]]:
    """Read the rows whose type the edits rebuild."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.execute(text("SELECT id::text, status::text FROM jobs ORDER BY id"))
        return [(row[0], row[1]) for row in found]
