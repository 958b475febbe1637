from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from pgmigrations.declare import Extension, declare
from pgmigrations.embedded import temporary_server
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script


def test_what_models_use_and_do_not_declare_is_there(tmp_path: Path, database_url: str) -> None:
    """A default, a check and an index use functions and a domain that nobody declares."""
    run_script(
        database_url,
        "CREATE FUNCTION answer() RETURNS int LANGUAGE sql IMMUTABLE RETURN 42;"
        "CREATE FUNCTION fine(int) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN $1 > 0;"
        "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100)",
    )
    project = Project(tmp_path / "project", database_url).models(
        "from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, text\n"
        "metadata = MetaData()\n"
        't = Table("t", metadata, Column("id", Integer, primary_key=True),\n'
        '    Column("n", Integer, CheckConstraint("fine(n)", name="n_fine"),\n'
        '           server_default=text("answer()")))\n'
        'Index("ix", text("fine(n)"), _table=t)\n'
    )
    assert project.autogenerate() is not None
    project.upgrade()
    assert project.check()


def test_a_model_that_the_server_refuses_is_named(tmp_path: Path, database_url: str) -> None:
    metadata = MetaData()
    Table("t", metadata, Column("n", Integer, server_default=text("no_such_function()")))
    before = schema_dump(database_url)
    with pytest.raises(CommandError, match=r"no_such_function.*apply the revision that makes"):
        Project(tmp_path / "project", database_url).models(metadata).autogenerate()
    assert schema_dump(database_url) == before


def test_more_tables_than_a_server_can_lock_are_told_with_the_ways_out(tmp_path: Path) -> None:
    metadata = MetaData()
    for number in range(600):
        Table(f"t{number}", metadata, Column("id", Integer, primary_key=True))
    few = {"max_connections": "10", "max_locks_per_transaction": "10"}
    with temporary_server(settings=few) as server:
        server.create_database("few")
        project = Project(tmp_path / "project", server.url("few")).models(metadata)
        with pytest.raises(CommandError, match="raise max_locks_per_transaction"):
            project.check()
        # A throwaway server has room for them.
        project = Project(
            tmp_path / "other", server.url("few"), settings={"scratch_url": "embedded"}
        )
        assert not project.models(metadata).check()


@pytest.mark.needs_extension("vector")
def test_a_role_that_may_not_make_an_extension_is_told_the_ways_out(
    tmp_path: Path, database_url: str
) -> None:
    role = f"pgm_{uuid.uuid4().hex[:12]}"
    engine = create_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    metadata = MetaData()
    declare(metadata, Extension("vector"))
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN CREATEDB"))
        try:
            url = make_url(database_url).set(username=role).render_as_string(hide_password=False)
            with pytest.raises(CommandError, match=r"permission denied.*scratch_url.*embedded"):
                Project(tmp_path / "project", url).models(metadata).autogenerate()
        finally:
            connection.execute(text(f"DROP ROLE {role}"))
