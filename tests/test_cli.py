from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.project import REPOSITORY


def pgmigrations(url: str, *arguments: str, width: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgmigrations.cli", *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "PYTHONPATH": f"{REPOSITORY}/src",
            "COLUMNS": str(width),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_our_commands_beside_alembics() -> None:
    told = pgmigrations("", "--help").stdout
    for command in ("upgrade", "revision", "overview", "embedded", "examples:"):
        assert command in told


def test_embedded_is_handed_over() -> None:
    assert "pgmigrations embedded" in pgmigrations("", "embedded", "--help").stdout


@pytest.mark.needs_extension("uuid-ossp", "vector")
def test_overview_shows_revisions_and_contents(database_url: str) -> None:
    assert pgmigrations(database_url, "upgrade", "001_initial_schema").returncode == 0
    done = pgmigrations(database_url, "overview")
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "Revisions (3 pending)" in lines
    assert "applied   001_initial_schema       Initial schema" in lines
    assert "pending   002_textbook_favorites   Textbook favorites" in lines
    assert any(line.split() == ["jobs", "13", "4", "1", "0"] for line in lines)
    assert "enum        sender_role    AI, User" in lines
    assert any(line.startswith("extension   vector") for line in lines)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_overview_of_an_empty_database_changes_nothing(database_url: str) -> None:
    done = pgmigrations(database_url, "overview")
    assert done.returncode == 0, done.stderr
    assert "4 pending" in done.stdout
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT to_regclass('pgmigrations')")).scalar_one() is None


def test_overview_survives_names_and_sizes_of_any_sort(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in (
            'CREATE SCHEMA "od[d]"',
            'CREATE TABLE "od[d]"."%x [bold]" (a int)',
            'INSERT INTO "od[d]"."%x [bold]" VALUES (1), (2)',
            "CREATE TYPE empty AS ENUM ()",
            "CREATE TYPE brackets AS ENUM ('[red]', '%s')",
            "CREATE TABLE parted (a int) PARTITION BY RANGE (a)",
            "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (2)",
            "CREATE TABLE big AS SELECT repeat('x', 1000) AS a FROM generate_series(1, 20000)",
            "ANALYZE big",
        ):
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    done = pgmigrations(database_url, "overview")
    assert done.returncode == 0, done.stderr
    assert any(line.split()[-1:] == ["2"] for line in done.stdout.splitlines() if "%x [bo" in line)
    assert "[red], %s" in done.stdout
    assert "~20,000" in done.stdout
    assert "parted_1" not in done.stdout


def test_a_failure_is_one_line() -> None:
    done = pgmigrations("postgresql://user:hidden-one@127.0.0.1:1/x", "overview")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    assert "hidden-one" not in output
    assert len(output.strip().splitlines()) == 1
