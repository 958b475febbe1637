"""The operations on extensions, and what models ask for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from pgvector.sqlalchemy import Vector
from sqlalchemy import ARRAY, Column, Connection, MetaData, Table, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.declare import Extension, declare
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import (
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.snapshot import Change, Scope, snapshot
from pgmigrations.migrate.objects.extension.catalog import ExtensionRecord, find, read
from pgmigrations.migrate.objects.extension.declared import declared, phrase
from pgmigrations.migrate.objects.extension.ops import (
    AlterExtension,
    CreateExtension,
    DropExtension,
)
from pgmigrations.plugin import ensure_registered
from tests.support.project import Project
from tests.support.script import run_script

ensure_registered()
SCOPE = Scope("public", frozenset({"public"}))
DIFFERENCE = Difference(SCOPE, {}, {}, [])

pytestmark = pytest.mark.needs_extension("citext")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


def run(connection: Connection, *operations: Operation) -> None:
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def test_an_extension_is_created_and_dropped_once(connection: Connection) -> None:
    run(connection, CreateExtension("citext"), CreateExtension("citext"))
    assert [record.name for record in read(connection, SCOPE) if record.is_ours] == ["citext"]
    run(connection, DropExtension("citext"), DropExtension("citext"))
    assert find(connection, "citext") is None


def test_an_extension_elsewhere_is_not_taken_for_the_same(connection: Connection) -> None:
    run(connection, CreateExtension("citext"))
    connection.exec_driver_sql("CREATE SCHEMA other")
    with pytest.raises(DifferentObject, match="wants schema other, the database has schema public"):
        run(connection, CreateExtension("citext", schema="other"))
    with pytest.raises(DifferentObject, match=r"wants version 99\.9, the database has version"):
        run(connection, CreateExtension("citext", version="99.9"))


def test_an_extension_moves_once_and_back(connection: Connection) -> None:
    move = AlterExtension("citext", schema="other", existing_schema="public")
    connection.exec_driver_sql("CREATE SCHEMA other")
    run(connection, CreateExtension("citext"), move, move)
    found = find(connection, "citext")
    assert found is not None
    assert found.installed_in == "other"
    run(connection, move.reverse())
    found = find(connection, "citext")
    assert found is not None
    assert found.installed_in == "public"


def test_what_is_not_installed_cannot_be_altered(connection: Connection) -> None:
    with pytest.raises(MissingObject, match="extension citext does not exist"):
        run(connection, AlterExtension("citext", version="1.0"))


def test_what_was_before_must_be_known_to_go_back() -> None:
    with pytest.raises(IrreversibleOperation, match="existing_schema="):
        AlterExtension("citext", schema="other").reverse()


def test_ignored_extensions_are_nobodys_business(connection: Connection) -> None:
    run(connection, CreateExtension("citext"))
    scope = Scope("public", frozenset({"public"}), ignore_extensions=frozenset({"citext"}))
    assert "citext" not in [record.name for record in read(connection, scope)]
    metadata = MetaData()
    declare(metadata, Extension("citext"))
    assert list(declared([metadata], scope, {}, {})) == []


def test_a_declaration_leaves_open_what_it_does_not_say() -> None:
    metadata = MetaData()
    declare(metadata, Extension("citext"))
    there = ExtensionRecord("", "citext", "somewhere", "1.6")
    assert list(declared([metadata], SCOPE, snapshot([there]), {})) == [there]


def test_a_vector_column_asks_for_its_extension() -> None:
    metadata = MetaData()
    Table("t", metadata, Column("v", Vector(3)), Column("w", ARRAY(Vector(3))))
    assert [record.name for record in declared([metadata], SCOPE, {}, {})] == ["vector"]


def test_a_move_and_an_update_are_one_operation() -> None:
    change = Change(
        ExtensionRecord("", "citext", "public", "1.5"), ExtensionRecord("", "citext", "x", "1.6")
    )
    (operation,) = phrase(change, DIFFERENCE)
    assert operation.to_diff_tuple() == (
        "alter_extension",
        "citext",
        {"schema": "x", "version": "1.6", "existing_schema": "public", "existing_version": "1.5"},
    )


@pytest.fixture
def others_url(database_url: str) -> Iterator[str]:
    """A database where an administrator made citext, as a role that owns the rest."""
    role = f"pgm_{uuid.uuid4().hex[:12]}"
    engine = create_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE EXTENSION citext")
        connection.exec_driver_sql(f"CREATE ROLE {role} CREATEDB")
        connection.exec_driver_sql(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}")
        url = engine.url.update_query_dict({"options": f"-c role={role}"})
        yield url.render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")


def test_an_administrators_extension_counts_as_present(others_url: str, tmp_path: Path) -> None:
    metadata = MetaData()
    declare(metadata, Extension("citext"), Extension("plpgsql"))
    project = Project(tmp_path / "project", others_url).models(metadata)
    assert project.autogenerate() is None
    assert project.check()


def test_an_administrators_extension_is_not_proposed_for_dropping(
    others_url: str, tmp_path: Path
) -> None:
    assert Project(tmp_path / "project", others_url).autogenerate() is None


def test_our_own_extension_is_proposed_for_dropping(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    run(connection, CreateExtension("citext"))
    connection.close()
    revision = Project(tmp_path / "project", database_url).autogenerate()
    assert revision is not None
    assert "op.drop_extension('citext')" in revision.read_text()
    assert "plpgsql" not in revision.read_text()


def test_a_downgrade_leaves_an_administrators_extension(
    others_url: str, connection: Connection, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", others_url)
    revision = project.versions / "001_citext.py"
    revision.write_text(
        "from alembic import op\n"
        "revision = '001_citext'\ndown_revision = None\n"
        "def upgrade():\n    op.create_extension('citext')\n"
        "def downgrade():\n    op.drop_extension('citext')\n"
    )
    project.upgrade()
    project.downgrade("base")
    assert find(connection, "citext") is not None
    run_script(others_url, project.again_sql(revision, "downgrade"))
    assert find(connection, "citext") is not None


def test_sql_output_drops_our_own_extension(connection: Connection, database_url: str) -> None:
    run(connection, CreateExtension("citext"))
    (statement,) = DropExtension("citext").guarded_statements()
    run_script(database_url, f"{statement};{statement}")
    assert find(connection, "citext") is None
