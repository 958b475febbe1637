"""What a run does when it is struck: upgrades and a downgrade, of revisions of every sort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pgmigrations.declare import RenamedLabel, declare, renamed_from
from tests.fault.history import CONTENTS, write_history
from tests.support.database import Databases
from tests.support.project import Project

_LEDGER = (
    "TABLE pgmigrations",
    "SELECT revision, status, count(*) FROM pgmigrations_history "
    "WHERE status IN ('applied', 'reverted') GROUP BY revision, status ORDER BY revision, status",
)
_DATA = """\
from pgmigrations import op
revision, down_revision = "002_data", "001_first"

def upgrade():
    # With ids of their own: a sequence is not taken back with its transaction.
    op.execute("INSERT INTO author (id, name, state) VALUES (1, 'a', 'new'), (2, 'b', 'done')")
    op.execute("INSERT INTO book (title, year, price, author_id) "
               "SELECT 'b' || g, g::text, g, 1 + g % 2 FROM generate_series(1, 20) g")

def downgrade():
    op.execute("DELETE FROM book")
    op.execute("DELETE FROM author")
"""


@dataclass(frozen=True)
class Course:
    """A run, and what there is before and after it.

    Attributes:
        command: What `alembic` is asked for.
        write: Writes the revisions into a project.
        contents: Queries whose answers, with the schema, say all that there is in the end.
        start: What is applied before; nothing by default.
    """

    command: str
    write: Callable[[Project, Databases], None]
    contents: Sequence[str]
    start: str = "base"


def _by_hand(project: Project, _: Databases) -> None:
    write_history(project)


def _generated(project: Project, databases: Databases) -> None:
    """Let autogenerate write the revisions, with rows that one by hand puts between them."""
    with databases.fresh() as url:
        project.on(url)
        project.models(_first()).run("revision", "--autogenerate", "-m", "first")
        (project.versions / "002_data.py").write_text(_DATA)
        project.upgrade()
        for models in (_second(), _third()):
            assert project.models(models).autogenerate() is not None
            project.upgrade()
    project.models(MetaData())


def _first() -> MetaData:
    metadata = MetaData()
    Table(
        "author",
        metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", Text, nullable=False, comment="Family name first"),
        Column(
            "state",
            Enum("new", "done", name="state"),
            server_default="new",
            nullable=False,
            index=True,
        ),
    )
    Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", String(20), nullable=False),
        Column("year", Text),
        Column("price", Integer),
        Column("twice", Integer, Computed("price * 2")),
        Column("author_id", ForeignKey("author.id", name="fk_author", ondelete="CASCADE")),
        CheckConstraint("price > 0", name="ck_price"),
        Index("ix_title", "title", postgresql_where=text("price > 5")),
    )
    return metadata


def _second() -> MetaData:
    """Labels, types, a rename, a generated column, keys and indexes change at once."""
    metadata = MetaData()
    Table(
        "author",
        metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("full_name", Text, nullable=False, info=renamed_from("name")),
        Column(
            "state",
            Enum("new", "kept", "finished", name="state"),
            server_default="kept",
            nullable=False,
            index=True,
        ),
        UniqueConstraint("full_name", name="uq_name"),
    )
    declare(metadata, RenamedLabel("state", "done", "finished"))
    Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", Text, nullable=False),
        Column("year", Integer),
        Column("price", Numeric(10, 2)),
        Column("twice", Numeric(10, 2), Computed("price * 2")),
        Column("author_id", ForeignKey("author.id", name="fk_author", ondelete="RESTRICT")),
        CheckConstraint("price >= 0", name="ck_price"),
        Index("ix_title", "title", "year", postgresql_where=text("price > 10")),
    )
    Table("shelf", metadata, Column("id", Integer, primary_key=True), Column("n", Integer))
    return metadata


def _third() -> MetaData:
    """Some of it goes: a label, a column, a table, a check."""
    metadata = MetaData()
    Table(
        "author",
        metadata,
        Column("id", Integer, Identity(always=True), primary_key=True),
        Column("full_name", Text, nullable=False),
        Column("state", Enum("new", "finished", name="state"), nullable=False),
    )
    Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", Text, server_default="none", nullable=False),
        Column("price", Numeric(10, 2)),
        Column("author_id", ForeignKey("author.id", name="fk_author", ondelete="RESTRICT")),
        Index("ix_title", "title", unique=True),
    )
    return metadata


COURSES = {
    "upgrade": Course("upgrade head", _by_hand, CONTENTS),
    "generated": Course(
        "upgrade head",
        _generated,
        (
            *_LEDGER,
            "SELECT id, full_name, state::text FROM author ORDER BY id",
            "SELECT title, price, author_id FROM book ORDER BY title",
        ),
    ),
    "generated, down": Course(
        "downgrade 002_data",
        _generated,
        (
            *_LEDGER,
            "SELECT id, name, state::text FROM author ORDER BY id",
            "SELECT title, year IS NULL, price, twice, author_id FROM book ORDER BY id",
        ),
        start="head",
    ),
    "generated, to the base": Course("downgrade base", _generated, _LEDGER, start="head"),
}
