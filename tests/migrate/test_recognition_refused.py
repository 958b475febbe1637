"""A database without version rows whose revisions cannot all be tried on its server."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.project import Project

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True),
         sa.Column("cents", sa.Integer), sa.Column("note", sa.Text))
"""
REVISION = """
from pgmigrations import op
import sqlalchemy as sa
revision, down_revision = {name!r}, {parent!r}

def upgrade():
{body}

def downgrade():
    pass
"""
ROLE = "recognition_refused_role"
MADE = f'op.execute("DO $$ BEGIN CREATE ROLE {ROLE}; DROP ROLE {ROLE}; END $$")'
BODIES = {
    "001_account": 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
    "002_role": MADE,
    "003_cents": 'op.add_column("account", sa.Column("cents", sa.Integer), if_not_exists=True)'
    '\n    op.add_column("account", sa.Column("note", sa.Text), if_not_exists=True)'
    '\n    op.execute("UPDATE account SET cents = coalesce(cents, id) * 100")',
    "004_gone": 'op.drop_column("account", "note", if_exists=True)',
    "005_again": 'op.add_column("account", sa.Column("note", sa.Text), if_not_exists=True)',
}


@pytest.fixture
def project(tmp_path: Path, database_url: str, server_url: str) -> Project:
    """Its revisions are tried on the server of its database."""
    project = Project(tmp_path, database_url, settings={"scratch_url": server_url}).models(MODELS)
    parent = None
    for name, body in BODIES.items():
        text_ = REVISION.format(name=name, parent=parent, body=f"    {body}")
        (project.versions / f"{name}.py").write_text(text_)
        parent = name
    return project


def ask(url: str, *statements: str) -> list[tuple[object, ...]]:
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as target:
        return _answers(target, statements)


def _answers(target: Connection, statements: tuple[str, ...]) -> list[tuple[object, ...]]:
    found = [target.execute(text(statement)) for statement in statements]
    return [tuple(row) for row in found[-1]] if found[-1].returns_rows else []


def use_own_server(folder: Path) -> None:
    ini = folder / "alembic.ini"
    lines = [line for line in ini.read_text().splitlines() if not line.startswith("scratch_url")]
    ini.write_text("\n".join(lines))


def forget(url: str) -> None:
    ask(url, "DROP TABLE pgmigrations, pgmigrations_history")


def test_what_comes_behind_is_not_run_again(project: Project) -> None:
    project.upgrade("001_account")
    ask(project.url, "INSERT INTO account VALUES (1)")
    project.upgrade()
    ask(project.url, "UPDATE account SET note = 'dear'")
    forget(project.url)
    with pytest.raises(CommandError, match=r"a role.*alembic stamp <revision>"):
        project.upgrade()
    assert ask(project.url, "SELECT * FROM account") == [(1, 100, "dear")]


def test_a_database_that_is_at_one_before_goes_on(project: Project) -> None:
    project.upgrade("001_account")
    forget(project.url)
    ask(project.url, "INSERT INTO account VALUES (1)")
    project.upgrade()
    assert ask(project.url, "SELECT cents FROM account") == [(100,)]


@pytest.mark.parametrize(
    "other", ["TYPE mood AS ENUM ('good')", "SEQUENCE counter", "TABLE more ()"]
)
def test_what_nobody_has_made_before_is_from_behind(project: Project, other: str) -> None:
    project.upgrade("001_account")
    forget(project.url)
    ask(project.url, f"CREATE {other}")
    with pytest.raises(CommandError, match="alembic stamp <revision>"):
        project.upgrade()


@pytest.mark.needs_server(min=18)
def test_its_roles_are_there_for_policies(
    project: Project, tmp_path: Path, database_url: str
) -> None:
    first = project.versions / "001_account.py"
    role = f"{ROLE}_of_policy"
    policy = f'op.execute("CREATE POLICY own ON account TO {role}")'
    first.write_text(first.read_text().replace("\n\ndef down", f"\n    {policy}\n\ndef down"))
    ask(database_url, f"CREATE ROLE {role}")
    try:
        use_own_server(tmp_path)
        project.upgrade()
        forget(project.url)
        project.upgrade()
        assert ask(project.url, "SELECT version_num FROM pgmigrations") == [("005_again",)]
    finally:
        ask(database_url, "DROP TABLE account", f"DROP ROLE {role}")


@pytest.mark.needs_server(min=18)
def test_it_is_tried_on_a_server_of_its_own_where_there_is_one(
    project: Project, tmp_path: Path
) -> None:
    project.upgrade()
    forget(project.url)
    use_own_server(tmp_path)
    project.upgrade()
    assert ask(project.url, "SELECT version_num FROM pgmigrations") == [("005_again",)]
