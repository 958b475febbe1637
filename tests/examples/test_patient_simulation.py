"""The example is a project that works, and takes over the database that it describes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.examples.patient_simulation import MIGRATIONS
from tests.support.dump import schema_dump, whole_dump
from tests.support.node_pg_migrate import install, run_node, write
from tests.support.project import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "patient_simulation"

pytestmark = pytest.mark.needs_extension("vector", "uuid-ossp")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example."""
    ignored = shutil.ignore_patterns("__pycache__", ".pg*")
    return shutil.copytree(EXAMPLE, tmp_path / "example", ignore=ignored)


@pytest.fixture
def managed(tmp_path: Path, database_url: str) -> Path:
    """The folder of a node-pg-migrate that has built the database."""
    folder = tmp_path / "node"
    folder.mkdir()
    install(folder)
    write(folder, MIGRATIONS)
    done = run_node(folder, database_url, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(example: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgmigrations.cli", *arguments],
        cwd=example,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
    )


def succeed(example: Path, url: str, *arguments: str) -> str:
    done = run(example, url, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_it_goes_up_and_down_again(example: Path, database_url: str) -> None:
    succeed(example, database_url, "upgrade")
    succeed(example, database_url, "check")
    assert "Up to date" in succeed(example, database_url, "upgrade")
    succeed(example, database_url, "downgrade", "base")
    left = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    names = {name for (name,) in query(database_url, left)}
    assert all(name.startswith("pgmigrations") for name in names), names
    assert query(database_url, "SELECT extname::text FROM pg_extension") == [("plpgsql",)]


def test_its_database_is_taken_over_and_given_back(
    example: Path, managed: Path, database_url: str
) -> None:
    (revision,) = (EXAMPLE / "alembic" / "versions").glob("*.py")
    before, rows = whole_dump(database_url), query(database_url, "TABLE pgmigrations")
    assert [name for _, name, _ in rows] == [name.removesuffix(".js") for name in MIGRATIONS]
    refused = run(example, database_url, "upgrade")
    assert refused.returncode != 0
    assert "pgmigrations adopt" in refused.stdout + refused.stderr

    succeed(example, database_url, "adopt")
    assert query(database_url, "TABLE pgmigrations") == [(revision.stem,)]
    kept = "SELECT id, name, run_on FROM pgmigrations_history WHERE status = 'adopted' ORDER BY id"
    assert query(database_url, kept) == rows
    assert (example / "alembic.ini").read_text() == (EXAMPLE / "alembic.ini").read_text()
    succeed(example, database_url, "check")
    state = schema_dump(database_url)
    assert run_node(managed, database_url, "up").returncode != 0
    assert schema_dump(database_url) == state

    succeed(example, database_url, "adopt", "--undo")
    assert whole_dump(database_url) == before
    succeed(example, database_url, "adopt")
    succeed(example, database_url, "upgrade")
    succeed(example, database_url, "check")


@pytest.mark.parametrize(
    ("ours", "its"),
    [
        ("alembic/env.py", "alembic/env.py"),
        ("alembic/script.py.mako", "alembic/script.py.mako"),
        ("app/settings.py", "simulation/settings.py"),
    ],
)
def test_what_it_has_of_the_template_is_the_templates(ours: str, its: str) -> None:
    text_ = (REPOSITORY / ours).read_text()
    for name in ("models", "settings"):
        text_ = text_.replace(f"from app.{name} import", f"from simulation.{name} import")
    assert sorted((EXAMPLE / its).read_text().splitlines()) == sorted(text_.splitlines())
