"""The deployment that this replaces: what node-pg-migrate has left is taken over."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from pgmigrations.database_url import DatabaseUrl
from tests.support.deployment import Stage
from tests.support.lambda_function import FunctionError, lambda_function
from tests.support.node_pg_migrate import install, run_node, write

MIGRATIONS = {"000_account.js": 'pgm.createTable("account", { id: "id" })'}
OLD_PASSWORD = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node-pg-migrate is installed."""
    folder = tmp_path_factory.mktemp("node")
    install(folder)
    write(folder, MIGRATIONS)
    return folder


def login(made: Stage, name: str) -> DatabaseUrl:
    """The login that a secret holds, on the direct endpoint."""
    held = made.secrets.read(name)
    changed = {"user": held["username"], "password": held["password"]}
    return DatabaseUrl(tuple((made.migrator.libpq | changed).items()))


def allowed(url: DatabaseUrl, statement: str) -> bool:
    with closing(psycopg2.connect(**url.libpq)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
        return True


def test_an_adopted_database_is_deployed_to(tmp_path: Path, made: Stage, node: Path) -> None:
    done = run_node(node, made.migrator.sqlalchemy, "up")
    assert done.returncode == 0, done.stderr
    first, second = made.logins
    made.ask(f"CREATE ROLE {first} LOGIN PASSWORD %s", OLD_PASSWORD)
    made.ask(f"CREATE ROLE {second} LOGIN PASSWORD %s", OLD_PASSWORD)
    made.ask(f"GRANT {first}, {second} TO {made.migrator.user} WITH ADMIN OPTION")
    made.make_secrets(OLD_PASSWORD)
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as function:
        with pytest.raises(FunctionError, match="pgmigrations adopt"):
            function.invoke({})
        result = function.invoke({"adopt": True})
        assert result["adopted"].startswith("Adopted at 001_account")
        assert (result["before"], result["after"]) == (["001_account"], ["002_access"])
        assert [one["revision"] for one in result["revisions"]] == ["002_access"]
        # The old password stands in the secret, and goes on to: only the proxy is new.
        assert [one["reason"] for one in result["secrets"]] == ["moved", "moved"]
        assert made.secrets.read(made.names[0])["password"] == OLD_PASSWORD
        again = function.invoke({"adopt": True, "rotate": True})
        assert (again["adopted"], again["revisions"]) == ("", [])
    assert made.ask("SELECT name FROM pgmigrations_history ORDER BY id LIMIT 1") == [
        ("000_account",)
    ]
    for name in made.names:
        url = login(made, name)
        assert allowed(url, "SELECT * FROM account")
        for statement in (
            "INSERT INTO account DEFAULT VALUES",
            "CREATE TABLE mine (id int)",
            "ALTER TABLE account ADD n int",
            "SELECT * FROM pgmigrations",
            "DELETE FROM pgmigrations_history",
            "CREATE ROLE other",
        ):
            assert not allowed(url, statement), statement


def test_an_empty_database_has_nothing_to_adopt(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as function:
        result = function.invoke({"adopt": True})
    assert (result["status"], result["adopted"]) == ("deployed", "")
    assert [one["reason"] for one in result["secrets"]] == ["initial", "initial"]
    assert all(allowed(login(made, name), "SELECT * FROM account") for name in made.names)


def test_the_environment_can_ask_for_an_adoption(tmp_path: Path, made: Stage, node: Path) -> None:
    assert run_node(node, made.migrator.sqlalchemy, "up").returncode == 0
    made.ask("CREATE TABLE notes (id int)")
    made.ask(f"ALTER TABLE notes OWNER TO {made.migrator.user}")
    made.make_secrets()
    project = made.project(tmp_path / "project")
    asked = {"PGMIGRATIONS_ADOPT": "true", "PGMIGRATIONS_KEEP": "notes"}
    with lambda_function(project.path, made.environ() | asked) as function:
        result = function.invoke({})
    assert result["adopted"].startswith("Adopted at 001_account")
    assert result["after"] == ["002_access"]


def test_what_is_deployed_can_be_verified(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as function:
        assert function.invoke({"verify": True})["verified"] is True
        made.ask("ALTER TABLE account ADD n int")
        with pytest.raises(FunctionError, match=r"^not_as_declared: .*pgmigrations check"):
            function.invoke({"verify": True})
