"""From an empty database to logins that work, and nothing more the next time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config

from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.cli import main
from pgmigrations.deploy.application_login import Reason
from pgmigrations.deploy.endpoint import NotConfigured
from pgmigrations.deploy.failure import InvalidOrder
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.run import Deployment, deploy
from pgmigrations.deploy.secret import SecretUnusable
from pgmigrations.deploy.verification import NotAsDeclared
from pgmigrations.deploy.wiring import Wiring
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.manifest import write_manifest
from pgmigrations.run.manifest import FILE
from tests.support.deployment import PROXY, Stage
from tests.support.project import Project
from tests.support.strike import Points, database_relay

QUIET = {"configure_logger": False}


@pytest.fixture
def project(tmp_path: Path, made: Stage) -> Project:
    made.make_secrets()
    return made.project(tmp_path / "project")


def deployed(project: Project, made: Stage, order: Order | None = None) -> Deployment:
    store = SecretsManager(made.secrets.client())
    return deploy(Wiring.of(project.path / "alembic.ini", made.environ(), store), order)


def test_an_empty_database_is_migrated_and_its_application_logs_in(
    project: Project, made: Stage
) -> None:
    done = deployed(project, made)
    assert (done.status, done.before, done.after) == ("deployed", (), ("002_access",))
    assert [(one["revision"], one["status"]) for one in done.revisions] == [
        ("001_account", "applied"),
        ("002_access", "applied"),
    ]
    assert [one.reason for one in done.secrets] == [Reason.INITIAL] * 2
    for name in made.names:
        held = made.secrets.read(name)
        assert held["host"] == PROXY
        assert made.lets_in(held)


def test_the_next_one_changes_nothing(project: Project, made: Stage) -> None:
    deployed(project, made)
    held = [made.secrets.read(name) for name in made.names]
    done = deployed(project, made)
    assert (done.status, done.revisions) == ("unchanged", ())
    assert [made.secrets.read(name) for name in made.names] == held
    assert deployed(project, made, Order(rotate=True)).status == "deployed"
    assert [made.secrets.read(name)["username"] for name in made.names] == [
        f"{login}_clone" for login in made.logins
    ]


def run(project: Project, environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pgmigrations.cli", "deploy", *arguments],
        cwd=project.path,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_says_what_it_has_done(project: Project, made: Stage) -> None:
    environ = made.environ()
    code, said, logged = run(project, environ, "--json")
    assert code == 0, logged
    done = json.loads(said)
    assert (done["status"], done["after"]) == ("deployed", ["002_access"])
    code, said, _ = run(project, environ)
    first, second = made.logins
    versions = [made.secrets.read(name)["version"] for name in made.names]
    assert code == 0
    lines = said.splitlines()
    assert lines[0].startswith("Unchanged in ")
    assert lines[0].endswith(" s; the database is at 002_access")
    assert lines[1:] == [
        f"  {first}: secret/{first} holds {first}, version {versions[0]} (none)",
        f"  {second}: secret/{second} holds {second}, version {versions[1]} (none)",
    ]


def test_the_command_fails_in_one_line_and_with_a_code(project: Project, made: Stage) -> None:
    code, said, logged = run(project, made.environ() | {"DB_USER_SECRET_NAME": ""}, "--json")
    assert code == 1
    assert json.loads(said)["code"] == "not_configured"
    assert logged.startswith("FAILED: DB_USER_SECRET_NAME, which names the secret of ")
    assert logged.count("\n") == 1


def test_no_secrets_manager_is_needed_where_secrets_are_files(
    tmp_path: Path, project: Project, made: Stage
) -> None:
    environ = {
        "DB_SECRET_NAME": f"file:{tmp_path}/migrator.env",
        "DB_USER_SECRET_NAME": f"file:{tmp_path}/rw.env",
        "DB_TABLE_CREATOR_SECRET_NAME": f"file:{tmp_path}/tc.env",
        "PYTHONPROFILEIMPORTTIME": "1",
    }
    (tmp_path / "migrator.env").write_text(f"DATABASE_URL={made.migrator.sqlalchemy}\n")
    code, said, logged = run(project, environ, "--rotate", "head")
    assert code == 0, logged
    assert f"{made.logins[0]}: {tmp_path}/rw.env holds {made.logins[0]}, version " in said
    assert " sqlalchemy\n" in logged
    assert "boto" not in logged
    # Where there is nothing to do, neither of them is imported.
    code, _, logged = run(project, environ)
    assert code == 0
    for name in ("sqlalchemy", "alembic", "boto3"):
        assert f" {name}\n" not in logged


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deploy", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "pgmigrations deploy --rotate" in said
    assert "exit codes: 0 done, 1 failed" in said


def test_it_waits_for_a_server_that_starts(project: Project, made: Stage) -> None:
    environ = made.environ()
    fields = made.secrets.read(made.migrator_secret)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made.secrets.client().create_secret(
        Name=f"late/{made.migrator.user}", SecretString=json.dumps(fields | {"port": port})
    )
    environ["DB_SECRET_NAME"] = f"late/{made.migrator.user}"
    process = subprocess.Popen(
        [sys.executable, "-m", "pgmigrations.cli", "deploy", "--wait", "60"],
        cwd=project.path,
        env=os.environ | environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr
        assert "Waiting for the database" in process.stderr.readline()
        with database_relay(Points(), fields["host"], fields["port"], port):
            assert process.wait(timeout=60) == 0


def test_a_server_that_does_not_come_is_told(project: Project, made: Stage) -> None:
    fields = made.secrets.read(made.migrator_secret)
    made.secrets.create(f"gone/{made.migrator.user}", fields | {"port": 1})
    environ = made.environ() | {"DB_SECRET_NAME": f"gone/{made.migrator.user}"}
    code, said, _ = run(project, environ, "--wait", "0", "--json")
    assert (code, json.loads(said)["code"]) == (1, "server_unreachable")


def test_a_secret_that_names_no_database_is_none_for_any(project: Project, made: Stage) -> None:
    fields = made.secrets.read(made.migrator_secret)
    del fields["dbname"], fields["version"]
    made.secrets.client().put_secret_value(
        SecretId=made.migrator_secret, SecretString=json.dumps(fields)
    )
    with pytest.raises(NotConfigured, match="DB_NAME"):
        deployed(project, made)
    environ = made.environ() | {"DB_NAME": made.migrator.database or ""}
    store = SecretsManager(made.secrets.client())
    wiring = Wiring.of(project.path / "alembic.ini", environ, store)
    assert deploy(wiring).status == "deployed"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"PGPORT": "abc"}, "PGPORT = abc is no port"),
        ({"DATABASE_URL": "postgresql://a,b/db"}, "several hosts, a,b.*DB_PROXY"),
    ],
)
def test_a_place_that_no_secret_can_name_is_refused(
    project: Project, made: Stage, changed: dict[str, str], told: str
) -> None:
    named = {"DB_SECRET_NAME": "", "PGHOST": "localhost", "PGDATABASE": "db"}
    environ = made.environ(proxy="") | named | changed
    with pytest.raises(PgMigrationsError, match=told):
        Wiring.of(project.path / "alembic.ini", environ, SecretsManager(made.secrets.client()))


@pytest.mark.parametrize("ending", ["raise NotImplementedError", "raise SystemExit(3)"])
def test_an_env_py_without_offline_mode_is_no_hindrance(
    project: Project, made: Stage, ending: str
) -> None:
    env = project.path / "alembic" / "env.py"
    text = env.read_text()
    head, offline, rest = text.partition("def run_offline()")
    signature, _, body = rest.partition("\n")
    env.write_text(f"{head}{offline}{signature}\n    {ending}\n{body}")
    (project.path / FILE).unlink()
    assert deployed(project, made).status == "deployed"


def test_a_secret_with_a_zero_byte_is_refused(project: Project, made: Stage) -> None:
    fields = made.secrets.read(made.migrator_secret) | {"password": "a\0b"}
    made.secrets.client().put_secret_value(
        SecretId=made.migrator_secret, SecretString=json.dumps(fields)
    )
    with pytest.raises(
        SecretUnusable, match=r"password of the secret .* is nothing that can be sent"
    ):
        deployed(project, made)


@pytest.mark.parametrize("target", ["", " ", "@"])
def test_an_order_without_a_target_is_none(target: str) -> None:
    with pytest.raises(InvalidOrder, match="target names no revision"):
        Order.of({"target": target})


def test_the_command_takes_no_empty_target(project: Project, made: Stage) -> None:
    code, said, _ = run(project, made.environ(), "", "--json")
    assert (code, json.loads(said)["code"]) == (1, "invalid_order")


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_rotation_locks_as_the_migrations_do_without_a_manifest(
    project: Project, made: Stage, is_stale: bool
) -> None:
    env = project.path / "alembic" / "env.py"
    named = 'configure_arguments(metadata, settings={"version_table": "own_versions"})'
    env.write_text(env.read_text().replace("configure_arguments(metadata)", named))
    if is_stale:
        written = env.read_text()
        env.write_text(written.replace("own_versions", "older_versions"))
        write_manifest(Config(str(project.path / "alembic.ini"), attributes=QUIET))
        env.write_text(written)
    else:
        (project.path / FILE).unlink()
    store = SecretsManager(made.secrets.client())
    wiring = Wiring.of(project.path / "alembic.ini", made.environ(), store)
    assert wiring.rotation.version_table() == ("own_versions", "")
    assert (project.path / FILE).exists() == is_stale


def test_what_differs_is_told_before_any_password_changes(project: Project, made: Stage) -> None:
    deployed(project, made)
    made.ask("ALTER TABLE account ADD n int")
    held = [made.secrets.read(name) for name in made.names]
    with pytest.raises(NotAsDeclared):
        deployed(project, made, Order(rotate=True, verify=True))
    assert [made.secrets.read(name) for name in made.names] == held
