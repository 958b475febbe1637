"""While passwords change, the application goes on, and so do other deployments."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.application_login import Asked
from tests.support.deployment import Stage

ROTATIONS = 6


@dataclass
class Application:
    """Logs in with what its secret holds, again and again.

    Attributes:
        logins: How many there were.
        failed: How many failed with what was current before and after.
        longest: The longest time from a login that failed to one that worked, seconds.
    """

    made: Stage
    logins: int = 0
    failed: int = 0
    longest: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Log in until it is ended."""
        client, name = self.made.secrets.client(), self.made.names[0]
        store, since = SecretsManager(client), 0.0
        while not self._ended.is_set():
            held, began = store.current(name), time.monotonic()
            assert held is not None
            is_in = self.made.lets_in(held.secret.fields)
            self.logins += 1
            after = store.current(name)
            assert after is not None
            if is_in:
                self.longest = max(self.longest, time.monotonic() - since if since else 0.0)
                since = 0.0
            # What was read before a rotation and used after it may fail.
            elif after.id == held.id:
                self.failed += 1
                since = since or began

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Log in meanwhile."""
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def rotate_meanwhile(made: Stage, mode: str) -> Application:
    rotation = made.rotation(SecretsManager(made.secrets.client()), mode=mode)
    rotation.run(Asked(False), wait=10)
    application = Application(made)
    with application.at_work():
        for _ in range(ROTATIONS):
            rotation.run(Asked(True), wait=10)
    return application


def test_with_two_logins_the_application_never_fails_to_log_in(staged: Stage) -> None:
    application = rotate_meanwhile(staged, "alternating")
    assert application.logins >= ROTATIONS
    assert application.failed == 0


def test_with_one_login_it_may_fail_until_the_secret_is_current(staged: Stage) -> None:
    """The window is from ALTER ROLE to the move of AWSCURRENT: a login, and two calls."""
    application = rotate_meanwhile(staged, "single")
    assert application.longest < 2


def test_deployments_at_once_all_succeed_and_leave_one_login(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    command = [sys.executable, "-W", "ignore", "-m", "pgmigrations.cli", "deploy", "--rotate"]
    running = [
        subprocess.Popen(
            command,
            cwd=project.path,
            env=os.environ | made.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(5)
    ]
    ended = [one.communicate(timeout=120)[0] for one in running]
    assert [one.returncode for one in running] == [0] * 5, ended
    assert all(made.lets_in(made.secrets.read(name)) for name in made.names)
    applied = "SELECT revision FROM pgmigrations_history WHERE status = 'applied' ORDER BY id"
    assert made.ask(applied) == [("001_account",), ("002_access",)]
    for name in made.names:
        found = made.secrets.stages(name)
        assert ["AWSCURRENT", "AWSPENDING"] in found.values()
