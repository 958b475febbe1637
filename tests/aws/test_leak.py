"""No password and no key of AWS's stands anywhere but where it is kept."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg2
import pytest
from sqlalchemy import make_url

from pgmigrations.embedded import EmbeddedServer
from tests.support.deployment import MIGRATOR_PASSWORD, Stage, stage
from tests.support.lambda_function import FunctionError, LambdaFunction, lambda_function
from tests.support.secrets_manager import CREDENTIALS, SecretsServer
from tests.support.server import data_base

LOUD = {
    "listen_addresses": "127.0.0.1",
    "log_statement": "all",
    "log_min_error_statement": "error",
    "log_connections": "on",
    "log_min_duration_statement": "0",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_utility": "on",
}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Loud:
    """A server that writes all it hears, and a deployment's stage on it.

    Args:
        made: The stage.
        log: The server's log.
    """

    def __init__(self, made: Stage, log: Path) -> None:
        self.made = made
        self._log = log
        self.known: set[str] = {MIGRATOR_PASSWORD, *(CREDENTIALS[key] for key in KEYS)}
        self.seen: list[str] = []
        self.activity: list[str] = []

    def call(self, function: LambdaFunction, event: dict[str, Any], timeout: float = 60) -> bool:
        """Call the function, keep what it says, and note every password that there is by now."""
        try:
            self.seen.append(json.dumps(function.invoke(event, timeout)))
            is_done = True
        except FunctionError as error:
            self.seen.append(json.dumps(error.said))
            is_done = False
        self.note()
        self.seen.append(function.log.read_text())
        return is_done

    def note(self) -> None:
        """Note the passwords that are kept now."""
        for name in self.made.names:
            for stages in self.made.secrets.stages(name).values():
                for one in stages:
                    self.known.add(self.made.secrets.read(name, one)["password"])

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Read pg_stat_activity all the time."""
        ended = threading.Event()

        def watch() -> None:
            with closing(psycopg2.connect(**self.made.admin.libpq)) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    while not ended.wait(0.005):
                        cursor.execute("SELECT application_name, query FROM pg_stat_activity")
                        self.activity += ["\t".join(row) for row in cursor.fetchall()]

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def everywhere(self) -> dict[str, str]:
        """All that anybody can read, by where."""
        statements = self.made.ask("SELECT query FROM pg_stat_statements")
        return {
            "what the function says": "\n".join(self.seen),
            "the server's log": self._log.read_text(errors="replace"),
            "pg_stat_activity": "\n".join(set(self.activity)),
            "pg_stat_statements": "\n".join(query for (query,) in statements),
        }


@pytest.fixture
def loud(secrets: SecretsServer) -> Iterator[Loud]:
    folder = Path(tempfile.mkdtemp(prefix="pgmt-loud-", dir=data_base()))
    folder.chmod(0o755)
    try:
        with EmbeddedServer(folder / "data", settings=LOUD, throwaway=True) as server:
            port = server.status().port
            assert port
            url = make_url(server.url("postgres")).render_as_string(hide_password=False)
            with stage(url, ("127.0.0.1", port), secrets) as made:
                made.ask("CREATE EXTENSION pg_stat_statements")
                made.make_secrets()
                yield Loud(made, folder / "data" / "server.log")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_no_secret_is_anywhere(tmp_path: Path, loud: Loud) -> None:
    made = loud.made
    project = made.project(tmp_path / "project")
    # As loud as a function can be set to be.
    environ = made.environ() | {"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    with loud.watched():
        with lambda_function(project.path, environ) as function:
            events: list[dict[str, Any]] = [{}, {}, {"rotate": True}, {"rotate": True}]
            for event in events:
                assert loud.call(function, event)
            _rotate(loud, function)
            _fail(loud, function)
        _fail_to_reach(loud, project.path, environ)
    loud.note()
    found = loud.everywhere()
    assert len(loud.known) >= 11
    assert "ALTER ROLE" in found["the server's log"]
    assert "ALTER ROLE" in found["pg_stat_statements"]
    assert "pgmigrations deploy" in found["pg_stat_activity"]
    for where, text in found.items():
        for secret in loud.known:
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                assert form not in text, where


def _rotate(loud: Loud, function: LambdaFunction) -> None:
    token = str(uuid4())
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        event = {"Step": step, "SecretId": loud.made.names[0], "ClientRequestToken": token}
        assert loud.call(function, event)


def _fail(loud: Loud, function: LambdaFunction) -> None:
    made = loud.made
    first, second = made.logins
    names = [first, f"{first}_clone", second, f"{second}_clone"]
    made.ask("".join(f"ALTER ROLE {name} VALID UNTIL '2001-01-01'; " for name in names))
    assert not loud.call(function, {"rotate": True})
    made.ask("".join(f"ALTER ROLE {name} VALID UNTIL 'infinity'; " for name in names))
    assert loud.call(function, {})
    made.ask(f"ALTER ROLE {made.migrator.user} NOCREATEROLE")
    assert not loud.call(function, {"rotate": True})
    made.ask(f"ALTER ROLE {made.migrator.user} CREATEROLE")
    assert loud.call(function, {})
    made.ask(f"ALTER ROLE {second}_clone RENAME TO {second}_gone")
    assert not loud.call(function, {"rotate": True})
    made.ask(f"ALTER ROLE {second}_gone RENAME TO {second}_clone")
    assert not loud.call(function, {"target": "009_no_such"})


def _fail_to_reach(loud: Loud, root: Path, environ: dict[str, str]) -> None:
    made = loud.made
    fields = made.secrets.read(made.migrator_secret)
    loud.known.add("Wr0ng'Passw0rd")
    changes: tuple[dict[str, Any], ...] = (
        {"password": "Wr0ng'Passw0rd"},
        {"port": 1},
        {"host": "no-such-host.invalid"},
    )
    for number, change in enumerate(changes):
        made.secrets.create(f"wrong/{made.migrator.user}/{number}", fields | change)
        wrong = environ | {"DB_SECRET_NAME": f"wrong/{made.migrator.user}/{number}"}
        with lambda_function(root, wrong) as function:
            assert not loud.call(function, {}, timeout=6)
    # Neither what is no JSON nor what JSON's parser says of it.
    loud.known.add("n0tJs0nButSecret")
    junk = {"Name": f"junk/{made.migrator.user}", "SecretString": '{"password": n0tJs0nButSecret'}
    made.secrets.client().create_secret(**junk)
    with lambda_function(root, environ | {"DB_USER_SECRET_NAME": junk["Name"]}) as function:
        assert not loud.call(function, {})
    nowhere = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1"}
    with lambda_function(root, environ | nowhere) as function:
        assert not loud.call(function, {}, timeout=60)
