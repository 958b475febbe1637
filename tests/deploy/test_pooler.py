"""Where the migrating role's secret leads to a PgBouncer in transaction mode."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.application_login import Reason
from pgmigrations.deploy.login import LoginUntried, Server
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.rotation import PasswordRefused
from pgmigrations.deploy.run import deploy
from pgmigrations.deploy.wiring import Wiring
from tests.support.deployment import MIGRATOR_PASSWORD, Stage

CONFIG = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
{more}
"""
ANYBODY = """\
auth_user = {user}
auth_query = SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1
"""


@contextmanager
def pooler(made: Stage, *, knows_all: bool) -> Iterator[int]:
    """Run a PgBouncer that knows the migrating role, or every role; yields its port."""
    binary = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if binary is None:
        pytest.skip("there is no PgBouncer here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="pgmigrations-pooler-") as name:
        folder = Path(name)
        more = ANYBODY.format(user=made.migrator.user) if knows_all else ""
        place = {"host": made.migrator.host, "port": made.migrator.port, "listen": listen}
        (folder / "ini").write_text(CONFIG.format(folder=folder, more=more, **place))
        (folder / "users").write_text(f'"{made.migrator.user}" "{MIGRATOR_PASSWORD}"\n')
        owner = Path(str(made.admin.host)).stat().st_uid
        for path in (folder, folder / "ini", folder / "users"):
            shutil.chown(path, owner)
        command = [binary, "--quiet", str(folder / "ini")]
        process = subprocess.Popen(command, user=owner, stderr=subprocess.DEVNULL)
        try:
            _wait_for(listen)
            yield listen
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PgBouncer does not answer")


def wiring(tmp_path: Path, made: Stage, port: int) -> Wiring:
    made.make_secrets()
    fields = made.secrets.read(made.migrator_secret)
    made.secrets.client().put_secret_value(
        SecretId=made.migrator_secret, SecretString=json.dumps(fields | {"port": port})
    )
    project = made.project(tmp_path / "project")
    store = SecretsManager(made.secrets.client())
    return Wiring.of(project.path / "alembic.ini", made.environ(), store)


def test_one_that_knows_every_role_is_deployed_through(tmp_path: Path, made: Stage) -> None:
    # Only a superuser may look passwords up.
    made.ask(f"ALTER ROLE {made.migrator.user} SUPERUSER")
    with pooler(made, knows_all=True) as port:
        through = wiring(tmp_path, made, port)
        assert [one.reason for one in deploy(through).secrets] == [Reason.INITIAL] * 2
        kept = deploy(through, Order(rotate=True)).secrets
        assert [one.reason for one in kept] == [Reason.ASKED] * 2
        assert deploy(through).status == "unchanged"
    assert all(made.lets_in(made.secrets.read(name)) for name in made.names)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = %s"
    ((oid,),) = made.ask("SELECT oid FROM pg_database WHERE datname = current_database()")
    assert made.ask(held, oid) == [(0,)]


def test_one_that_knows_only_the_migrating_role_is_refused_in_one_line(
    tmp_path: Path, made: Stage
) -> None:
    with pooler(made, knows_all=False) as port:
        through = wiring(tmp_path, made, port)
        with pytest.raises(PasswordRefused, match="server's own endpoint") as caught:
            deploy(through)
        assert "\n" not in str(caught.value)
        # What applications read is as it was.
        for name in made.names:
            assert made.secrets.read(name)["password"] == "applicationPassword"


def test_one_that_knows_only_the_migrating_role_is_no_proof_that_a_password_is_wrong(
    tmp_path: Path, made: Stage
) -> None:
    with pooler(made, knows_all=False) as port:
        through = wiring(tmp_path, made, port)
        direct = replace(through, server=Server(made.migrator), rotation=through.rotation)
        direct = replace(direct, rotation=replace(through.rotation, server=Server(made.migrator)))
        deploy(direct)
        with pytest.raises(LoginUntried, match="server's own endpoint"):
            deploy(through)
    assert all(made.lets_in(made.secrets.read(name)) for name in made.names)
