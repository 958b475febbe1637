"""What Alembic's own autogenerate does not see of constraints, or sees where nothing differs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
)
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

from tests.contract.constraint_samples import CONSTRAINT_SAMPLES
from tests.contract.contract import Sample
from tests.support.database import Databases
from tests.support.dump import embedded_pg_dump
from tests.support.project import Project
from tests.support.script import run_script

MODELS = """
from sqlalchemy import *
from sqlalchemy.dialects.postgresql import ExcludeConstraint

metadata = MetaData()
Table("other", metadata, Column("id", Integer, primary_key=True))
Table(
    "page",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer),
    Column("status", String(10)),
    Column("kind", Enum("a", "b", native_enum=False, create_constraint=True, name="kind")),
    Column("done", Boolean(create_constraint=True, name="done")),
    CheckConstraint("status IN ('new', 'old')", name="ck_page_status"),
    CheckConstraint("number > 0"),
    UniqueConstraint("number", name="uq_number"),
    ForeignKeyConstraint(["number"], ["other.id"], name="fk_number"),
    ExcludeConstraint(("number", "="), name="ex_number", using="btree",
                      where="status IN ('new', 'old')"),
)
"""

# What somebody has done to the database by hand, and how the revision undoes it.
DRIFT = {
    "ALTER TABLE page DROP CONSTRAINT ck_page_status": "op.add_constraint(",
    "ALTER TABLE page ADD CONSTRAINT more CHECK (number < 9)": "op.remove_constraint(",
    "ALTER TABLE page DROP CONSTRAINT ck_page_status, "
    "ADD CONSTRAINT ck_page_status CHECK (status = 'new')": "op.replace_constraint(",
    "ALTER TABLE page DROP CONSTRAINT page_number_check": "op.add_constraint(",
    "ALTER TABLE page DROP CONSTRAINT page_number_check, "
    "ADD CONSTRAINT page_number_check CHECK (number > 0) NOT VALID": "op.validate_constraint(",
    "ALTER TABLE page DROP CONSTRAINT page_number_check, "
    "ADD CONSTRAINT page_number_check CHECK (number > 0) NO INHERIT": "op.replace_constraint(",
    "ALTER TABLE page DROP CONSTRAINT fk_number, ADD CONSTRAINT fk_number "
    "FOREIGN KEY (number) REFERENCES other(id) NOT VALID": "op.validate_constraint(",
    "ALTER TABLE page DROP CONSTRAINT fk_number, ADD CONSTRAINT fk_number "
    "FOREIGN KEY (number) REFERENCES other(id) MATCH FULL": "op.replace_constraint(",
    "ALTER TABLE page DROP CONSTRAINT ex_number": "op.add_constraint(",
    "ALTER TABLE page DROP CONSTRAINT uq_number, "
    "ADD CONSTRAINT uq_number UNIQUE (number) DEFERRABLE": "op.replace_constraint(",
    "ALTER TABLE page DROP CONSTRAINT page_pkey, "
    "ADD CONSTRAINT page_pkey PRIMARY KEY (id) INCLUDE (number)": "op.replace_constraint(",
    "ALTER TABLE page DROP CONSTRAINT page_pkey": "op.add_constraint(",
    "COMMENT ON CONSTRAINT fk_number ON page IS 'x'": "op.comment_on_constraint(",
}


# SQLAlchemy hands what it reflects of a NOT VALID or NO INHERIT check to a class that warns of it.
REFLECTION = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")


@REFLECTION
def test_what_was_done_by_hand_is_found_and_undone(tmp_path: Path, database_url: str) -> None:
    project = Project(tmp_path / "project", database_url).models(MODELS)
    project.autogenerate("first")
    project.upgrade()
    assert project.check()
    wrong = {}
    for statement, call in DRIFT.items():
        run_script(database_url, statement)
        assert not project.check(), statement
        revision = project.autogenerate("undone")
        assert revision is not None
        if revision.read_text().count("    op.") != 2 or call not in revision.read_text():
            wrong[statement] = revision.read_text()
        project.upgrade()
        assert project.check(), statement
    assert wrong == {}


@REFLECTION
def test_a_not_valid_check_of_a_list_is_made_valid(tmp_path: Path, database_url: str) -> None:
    project = Project(tmp_path / "project", database_url).models(MODELS)
    project.autogenerate("first")
    project.upgrade()
    run_script(
        database_url,
        "ALTER TABLE page DROP CONSTRAINT ck_page_status, ADD CONSTRAINT ck_page_status "
        "CHECK (status::text = ANY (ARRAY['new'::varchar::text, 'old'::varchar::text])) NOT VALID",
    )
    assert project.autogenerate("valid") is not None
    project.upgrade()
    assert project.check()


@pytest.mark.parametrize("sample", CONSTRAINT_SAMPLES, ids=str)
def test_a_database_restored_from_its_own_dump_is_clean(
    sample: Sample, databases: Databases, database_url: str, tmp_path: Path
) -> None:
    sample.after().create_all(create_engine(database_url, poolclass=NullPool))
    with databases.fresh() as restored:
        run_script(restored, dumped(database_url))
        assert Project(tmp_path / "project", restored).models(sample.after()).check()


def test_constraints_of_partitioned_and_inherited_tables_change_with_them(
    tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url).models(families(0))
    project.autogenerate("first")
    project.upgrade()
    project.models(families(1))
    revision = project.autogenerate("changed")
    assert revision is not None
    assert "child" not in revision.read_text()
    project.upgrade()
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conname = 'k' ORDER BY 1"
        )
        texts = {row[0]: row[1] for row in found}
    assert set(texts.values()) == {"CHECK ((number > 1))"}
    assert set(texts) == {"base", "child", "parted"}


def families(number: int) -> MetaData:
    metadata = MetaData()

    def table(name: str, *more: SchemaItem, **options: Any) -> None:
        number_ = Column("number", Integer, autoincrement=False)
        Table(name, metadata, number_, Column("word", String(9)), *more, **options)

    table("base", CheckConstraint(f"number > {number}", name="k"))
    table("child", postgresql_inherits="base")
    key = PrimaryKeyConstraint("number")
    by_range = {"postgresql_partition_by": "RANGE (number)"}
    table("parted", CheckConstraint(f"number > {number}", name="k"), key, **by_range)
    action = {"ondelete": "CASCADE"} if number else {}
    refers = ForeignKeyConstraint(["number"], ["parted.number"], name="refers_fk", **action)  # type: ignore[arg-type]
    table("refers", refers, **by_range)
    return metadata


def dumped(url: str) -> str:
    """Dump a schema as SQL that anybody can run."""
    address = make_url(url)
    arguments = address.translate_connect_args(username="user", database="dbname")
    query = {key: str(value) for key, value in address.query.items()}
    parts = {**{key: str(value) for key, value in arguments.items()}, **query}
    connection = " ".join(f"{key}='{value}'" for key, value in parts.items())
    command = [str(embedded_pg_dump()), "--schema-only", "--no-owner", f"--dbname={connection}"]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    # transaction_timeout is unknown to servers before 17.
    noise = ("\\", "SET ", "SELECT pg_catalog.set_config")
    kept = [line for line in text.splitlines() if not line.startswith(noise)]
    return "\n".join(kept)
