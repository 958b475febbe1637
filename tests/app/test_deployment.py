"""The seeds' deployment, with the template: event in, result out, and who may do what then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from alembic.config import Config
from sqlalchemy import make_url

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.migrate.manifest import write_manifest
from tests.app.right import expected_of, found_of
from tests.support.deployment import MIGRATOR_PASSWORD, Stage
from tests.support.lambda_function import lambda_function
from tests.support.node_pg_migrate import install, run_node
from tests.support.oer_assistant import write_oer_assistant
from tests.support.own_server import OwnServers
from tests.support.project import REPOSITORY
from tests.support.secrets_manager import SecretsServer, secrets_server

pytestmark = pytest.mark.needs_extension("uuid-ossp", "vector")

LOGINS = ("app_rw", "app_tc")
OLD_PASSWORD = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def secrets() -> Iterator[SecretsServer]:
    """Secrets Manager."""
    with secrets_server() as server:
        yield server


@pytest.fixture
def made(own_servers: OwnServers, secrets: SecretsServer) -> Iterator[Stage]:
    """A database on a server of its own, whose migrating role is no superuser."""
    with own_servers() as url:
        admin = parse_database_url(url)
        values = {
            "host": "127.0.0.1",
            "port": str(make_url(url).query["port"]),
            "user": f"mig_{Path(url).name[-5:]}",
            "password": MIGRATOR_PASSWORD,
            "dbname": admin.database or "",
        }
        stage = Stage(admin, DatabaseUrl(tuple(values.items())), LOGINS, secrets)
        stage.ask(
            f"CREATE ROLE {values['user']} LOGIN CREATEROLE CREATEDB PASSWORD %s; "
            f"ALTER DATABASE own OWNER TO {values['user']}; "
            f"ALTER SCHEMA public OWNER TO {values['user']}; "
            'CREATE EXTENSION vector; CREATE EXTENSION "uuid-ossp"',
            MIGRATOR_PASSWORD,
        )
        yield stage
        for name in (*stage.names, stage.migrator_secret):
            secrets.client().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template as it is shipped, with its manifest."""
    folder = tmp_path / "task"
    folder.mkdir()
    for name in ("alembic", "app"):
        shutil.copytree(REPOSITORY / name, folder / name)
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    write_manifest(Config(str(folder / "alembic.ini"), attributes={"configure_logger": False}))
    return folder


@contextmanager
def session(url: DatabaseUrl) -> Iterator[psycopg2.extensions.cursor]:
    with closing(psycopg2.connect(**url.libpq)) as connection, connection:
        yield connection.cursor()


def login(made: Stage, name: str) -> DatabaseUrl:
    """The login that a secret holds, on the direct endpoint."""
    held = made.secrets.read(f"secret/{name}")
    changed = {"user": held["username"], "password": held["password"]}
    return DatabaseUrl(tuple((made.migrator.libpq | changed).items()))


def test_an_empty_database_is_deployed_to(made: Stage, template: Path) -> None:
    made.make_secrets()
    with lambda_function(template, made.environ()) as function:
        result = function.invoke({})
        assert (result["status"], result["after"]) == ("deployed", ["004_access"])
        assert [one["username"] for one in result["secrets"]] == ["app_rw", "app_tc"]
        assert_rights(made)
        assert function.invoke({})["status"] == "unchanged"
        result = function.invoke({"rotate": True})
        assert [one["username"] for one in result["secrets"]] == ["app_rw_clone", "app_tc_clone"]
        assert_rights(made)


def test_a_database_of_node_pg_migrate_is_taken_over(
    made: Stage, template: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    install(folder)
    write_oer_assistant(folder)
    done = run_node(folder, made.migrator.sqlalchemy, "up")
    assert done.returncode == 0, done.stderr
    # What the old function has made of it.
    made.ask(
        "CREATE ROLE readwrite; CREATE ROLE tablecreator; "
        "GRANT CONNECT ON DATABASE own TO readwrite; GRANT USAGE ON SCHEMA public TO readwrite; "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO readwrite; "
        "CREATE ROLE app_rw LOGIN PASSWORD %s; CREATE ROLE app_tc LOGIN PASSWORD %s; "
        "GRANT readwrite TO app_rw; GRANT tablecreator TO app_tc; "
        f"GRANT readwrite, tablecreator, app_rw, app_tc TO {made.migrator.user} "
        "WITH ADMIN OPTION",
        OLD_PASSWORD,
        OLD_PASSWORD,
    )
    if made.ask("SELECT current_setting('server_version_num')::int < 180000") == [(True,)]:
        # The revisions are tried beside the database there, where RDS lets its administrator make
        # extensions and an ordinary server only a superuser.
        made.ask(f"ALTER ROLE {made.migrator.user} SUPERUSER")
    made.make_secrets(OLD_PASSWORD)
    adopted = {"PGMIGRATIONS_ADOPT": "true", "PGMIGRATIONS_KEEP": "example_table"}
    with lambda_function(template, made.environ() | adopted) as function:
        result = function.invoke({})
        assert (result["before"], result["after"]) == (["001_initial_schema"], ["004_access"])
        assert made.secrets.read("secret/app_rw")["password"] == OLD_PASSWORD
        assert_rights(made)
        function.invoke({"rotate": True})
        assert_rights(made)
    assert made.ask("SELECT count(*) FROM example_table") == [(0,)]


def test_both_logins_of_an_application_own_and_alter_the_same_tables(
    made: Stage, template: Path
) -> None:
    made.make_secrets()
    with lambda_function(template, made.environ()) as function:
        function.invoke({})
        with session(login(made, "app_tc")) as cursor:
            cursor.execute("CREATE TABLE made (id serial PRIMARY KEY)")
        function.invoke({"rotate": True})
    with session(login(made, "app_tc")) as cursor:
        cursor.execute("ALTER TABLE made ADD COLUMN name text")
    # What the one makes, the other application uses, the sequence included.
    with session(login(made, "app_rw")) as cursor:
        cursor.execute("INSERT INTO made (name) VALUES ('x')")
        cursor.execute("DELETE FROM made")


def assert_rights(made: Stage) -> None:
    """Both logins may do what they should, and nothing else."""
    for name in LOGINS:
        url = login(made, name)
        assert url.user is not None
        assert found_of(url.user, url.libpq) == expected_of(url.user)
