"""The template as its user meets it: Alembic's commands on the repository's own folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.support.dump import schema_dump
from tests.support.project import REPOSITORY
from tests.support.script import run_script, statements

EXTENSIONS = ("uuid-ossp", "vector")
HEAD = "004_access"
Alembic = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.needs_extension(*EXTENSIONS)


@pytest.fixture
def alembic(database_url: str) -> Alembic:
    """Run `alembic` in the repository, as its own process, on the test's database."""
    return lambda *arguments, url=database_url: run_alembic(url, *arguments)


def run_alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic.config", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": f"{REPOSITORY}/src"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connected:
        yield connected


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with connection(url) as connected:
        return [tuple(row) for row in connected.execute(text(query))]


def test_the_life_of_a_database(alembic: Alembic, database_url: str) -> None:
    done = alembic("upgrade", "head")
    assert done.returncode == 0, done.stderr
    upgraded = schema_dump(database_url)
    assert rows(database_url, "SELECT version_num FROM pgmigrations") == [(HEAD,)]

    again = alembic("upgrade", "head")
    assert again.returncode == 0
    assert "Running" not in again.stderr
    assert alembic("check").returncode == 0

    down = alembic("downgrade", "base")
    assert down.returncode == 0, down.stderr
    assert rows(
        database_url,
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'S') "
        "AND relnamespace = 'public'::regnamespace ORDER BY 1",
    ) == [("pgmigrations",), ("pgmigrations_history",), ("pgmigrations_history_id_seq",)]
    assert rows(database_url, "SELECT typname FROM pg_type WHERE typtype = 'e'") == []
    assert rows(database_url, "SELECT extname FROM pg_extension WHERE oid >= 16384") == []
    assert rows(database_url, "SELECT * FROM pgmigrations") == []

    assert alembic("upgrade", "head").returncode == 0
    assert schema_dump(database_url) == upgraded


def test_sql_output_makes_the_same_database(alembic: Alembic, databases_: tuple[str, str]) -> None:
    connected, scripted = databases_
    assert alembic("upgrade", "head", url=connected).returncode == 0
    # Nothing listens there: --sql needs no server.
    offline = alembic("upgrade", "head", "--sql", url="postgresql://nobody@127.0.0.1:1/none")
    assert offline.returncode == 0, offline.stderr
    run_script(scripted, offline.stdout)
    assert schema_dump(scripted) == schema_dump(connected)
    settings = "SELECT key, value FROM system_settings ORDER BY key"
    assert rows(scripted, settings) == rows(connected, settings)
    assert rows(scripted, "TABLE pgmigrations") == [(HEAD,)]


@pytest.fixture
def databases_(database_from: Callable[[str, Callable[[str], None]], str]) -> tuple[str, str]:
    """Two empty databases."""

    def nothing(_url: str) -> None:
        pass

    return database_from("empty", nothing), database_from("empty", nothing)


FAVORITES = "textbook_favorites_textbook_id_index"


@pytest.mark.parametrize("start", ["002_textbook_favorites", HEAD])
def test_sql_output_goes_on_from_where_a_database_is(
    start: str, alembic: Alembic, database_url: str
) -> None:
    assert alembic("upgrade", start).returncode == 0
    with connection(database_url) as connected:
        # What would come back if a revision ran that is applied.
        connected.execute(text(f"DROP INDEX {FAVORITES}"))
        connected.execute(text("DELETE FROM system_settings"))
    before = schema_dump(database_url)
    offline = alembic("upgrade", "head", "--sql").stdout
    with connection(database_url) as connected:
        for statement in statements(offline):
            # As psql does without ON_ERROR_STOP.
            with contextlib.suppress(DBAPIError):
                connected.exec_driver_sql(statement, execution_options={"no_parameters": True})
    assert schema_dump(database_url) == before
    assert rows(database_url, "TABLE pgmigrations") == [(HEAD,)]
    settings = rows(database_url, "SELECT count(*) FROM system_settings")
    assert settings == [(0 if start == HEAD else 2,)]


def test_sql_output_can_be_run_twice_from_each_revision(
    alembic: Alembic, database_url: str
) -> None:
    assert alembic("upgrade", "head").returncode == 0
    before = schema_dump(database_url)
    offline = alembic("upgrade", "head", "--sql").stdout
    with connection(database_url) as connected:
        connected.execute(text("DROP TABLE pgmigrations"))
    run_script(database_url, offline)
    assert schema_dump(database_url) == before


def test_the_database_is_the_reference_schema(
    alembic: Alembic, databases_: tuple[str, str]
) -> None:
    upgraded, reference = databases_
    assert alembic("upgrade", "head", url=upgraded).returncode == 0
    folder = Path(__file__).parent
    for name in ("oer_assistant.sql", "textbook_favorites.sql"):
        run_script(reference, (folder / name).read_text())
    assert schema_dump(upgraded, exclude_tables=["pgmigrations*"]) == schema_dump(reference)


def test_lost_version_rows_change_nothing(alembic: Alembic, database_url: str) -> None:
    assert alembic("upgrade", "head").returncode == 0
    before = schema_dump(database_url)
    settings = rows(database_url, "SELECT * FROM system_settings ORDER BY key")
    with connection(database_url) as connected:
        connected.execute(text("DELETE FROM pgmigrations"))
    again = alembic("upgrade", "head")
    assert again.returncode == 0, again.stderr
    assert schema_dump(database_url) == before
    assert rows(database_url, "SELECT * FROM system_settings ORDER BY key") == settings
    assert rows(database_url, "TABLE pgmigrations") == [(HEAD,)]


def test_default_settings_respect_what_people_changed(alembic: Alembic, database_url: str) -> None:
    assert alembic("upgrade", "002_textbook_favorites").returncode == 0
    with connection(database_url) as connected:
        connected.execute(text("INSERT INTO system_settings VALUES ('max_token_limit', '9')"))
    assert alembic("upgrade", "003_default_settings").returncode == 0
    settings = "SELECT key, value FROM system_settings ORDER BY key"
    model = ("default_model", "meta.llama3-70b-instruct-v1:0")
    assert rows(database_url, settings) == [model, ("max_token_limit", "9")]
    assert alembic("downgrade", "-1").returncode == 0
    assert rows(database_url, settings) == [("max_token_limit", "9")]


def test_the_version_table_takes_long_names(alembic: Alembic, database_url: str) -> None:
    assert alembic("upgrade", "head").returncode == 0
    assert rows(
        database_url,
        "SELECT column_name, data_type, character_maximum_length "
        "FROM information_schema.columns WHERE table_name = 'pgmigrations'",
    ) == [("version_num", "character varying", 255)]


def with_user(url: str, user: str, password: str, address: tuple[str, int]) -> str:
    made = make_url(url).set(
        username=user, password=password, host=address[0], port=address[1], query={}
    )
    return made.render_as_string(hide_password=False)


PASSWORD = "n0t-to-be-seen"


@pytest.fixture
def user(database_url: str) -> Iterator[str]:
    """A user who may log in and do nothing else."""
    name = f"plain_{make_url(database_url).database}"
    with connection(database_url) as connected:
        connected.execute(text(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'"))
    yield name
    with connection(database_url) as connected:
        connected.execute(text(f'DROP OWNED BY "{name}"'))
        connected.execute(text(f'DROP ROLE "{name}"'))


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Check that a command failed in one line, and return that line."""
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    assert PASSWORD not in output
    failed = [line for line in output.splitlines() if not line.startswith("INFO")]
    assert len(failed) == 1, output
    return failed[0]


def test_wrong_password(
    alembic: Alembic, database_url: str, user: str, tcp_server: tuple[str, int]
) -> None:
    told = refused(alembic("upgrade", "head", url=with_user(database_url, user, "x", tcp_server)))
    assert "password" in told
    assert user in told


def test_unreachable_host(alembic: Alembic) -> None:
    url = f"postgresql://user:{PASSWORD}@127.0.0.1:1/database"
    assert "127.0.0.1:1" in refused(alembic("upgrade", "head", url=url))


def test_no_privilege(
    alembic: Alembic, database_url: str, user: str, tcp_server: tuple[str, int], server_version: int
) -> None:
    if server_version < 150000:
        with connection(database_url) as connected:
            connected.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    before = schema_dump(database_url)
    url = with_user(database_url, user, PASSWORD, tcp_server)
    assert "GRANT" in refused(alembic("upgrade", "head", url=url))
    assert schema_dump(database_url) == before


def test_read_only_database(alembic: Alembic, database_url: str) -> None:
    name = make_url(database_url).database
    with connection(database_url) as connected:
        connected.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    before = schema_dump(database_url)
    assert "read-only" in refused(alembic("upgrade", "head"))
    assert schema_dump(database_url) == before


def test_extension_that_the_server_lacks(tmp_path: Path, database_url: str) -> None:
    from tests.support.project import Project

    project = Project(tmp_path, database_url)
    (project.versions / "001_first.py").write_text(
        "from pgmigrations import op\n"
        'revision, down_revision = "001_first", None\n'
        'def upgrade():\n    op.create_extension("no_such_extension")\n'
        "def downgrade():\n    pass\n"
    )
    before = schema_dump(database_url)
    done = subprocess.run(
        [sys.executable, "-m", "alembic.config", "upgrade", "head"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src"},
    )
    assert "no_such_extension" in refused(done)
    assert schema_dump(database_url) == before
