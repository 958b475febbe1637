"""Killed before and after every call of a deployment, and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from alembic.config import Config

from pgmigrations.migrate.manifest import write_manifest
from tests.support.deployment import Stage
from tests.support.project import REPOSITORY
from tests.support.strike import Points, database_relay, secrets_relay


@dataclass
class Struck:
    """A deployment whose every call can be struck at.

    Attributes:
        made: What it is deployed to.
        points: Its calls.
        ini: Its project.
        driver: Runs it.
    """

    made: Stage
    points: Points
    ini: Path
    driver: subprocess.Popen[str]

    def run(self, at: int = 0, *, is_after: bool = False, **order: Any) -> int:
        """Deploy, and strike at a call; the exit code."""
        pids: SimpleQueue[int] = SimpleQueue()
        self.points.arm(at, lambda: os.kill(pids.get(), signal.SIGKILL), is_after=is_after)
        return self.finish(pids.put, **order)

    def finish(self, tell: Callable[[int], None] = lambda _: None, **order: Any) -> int:
        """Deploy, and strike as is set; the exit code.

        Args:
            tell: Gets the process id.
            order: What is asked for.
        """
        assert self.driver.stdin
        assert self.driver.stdout
        print(json.dumps([str(self.ini), order]), file=self.driver.stdin, flush=True)
        tell(int(self.driver.stdout.readline()))
        return int(self.driver.stdout.readline())

    @property
    def output(self) -> str:
        """What the last run has said."""
        return self.ini.with_name("output").read_text()

    @property
    def calls(self) -> str:
        """What the last run has called for, for the message of a failure."""
        return "\n".join(f"{number} {one}" for number, one in enumerate(self.points.reached, 1))

    def undo(self) -> None:
        """Make it all as it was before the first deployment."""
        made, client = self.made, self.made.secrets.client()
        made.ask("DROP TABLE IF EXISTS account, pgmigrations, pgmigrations_history")
        for role in made.roles:
            made.ask(f"DROP ROLE IF EXISTS {role}")
        for name in made.names:
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            client.create_secret(Name=name, SecretString=PLACEHOLDER)

    def works(self) -> list[bool]:
        """Whether what the secrets hold logs in, as any other client sees it."""
        return [self.made.lets_in(self.made.secrets.read(name)) for name in self.made.names]


@pytest.fixture
def struck(tmp_path: Path, made: Stage) -> Iterator[Struck]:
    points = Points()
    host, port = made.migrator.host, made.migrator.port
    assert host
    assert port
    with ExitStack() as stack:
        through = stack.enter_context(database_relay(points, host, port))
        endpoint = stack.enter_context(secrets_relay(points, made.secrets.endpoint))
        made.make_secrets()
        direct = {"username": made.migrator.user, "password": made.migrator.password, **made.place}
        made.secrets.client().put_secret_value(
            SecretId=made.migrator_secret, SecretString=json.dumps(direct | {"port": through})
        )
        project = made.project(tmp_path / "project")
        driver = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.deploy.driver"],
                cwd=REPOSITORY,
                env=os.environ | made.environ() | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        yield Struck(made, points, project.path / "alembic.ini", driver)
        assert driver.stdin
        driver.stdin.close()
        driver.wait(timeout=10)


def strike_everywhere(
    struck: Struck,
    check: Callable[[], None],
    *,
    is_after: bool,
    every: int = 1,
    reset: Callable[[], None] = lambda: None,
    **order: Any,
) -> int:
    """Strike at one call after the other, until a run has no more; how many it had then."""
    at = 1
    while True:
        code = struck.run(at, is_after=is_after, **order)
        if not struck.points.struck:
            assert code == 0, struck.output
            return len(struck.points.reached)
        assert code == -signal.SIGKILL, struck.output
        where = f"struck {'after' if is_after else 'before'} {at} of\n{struck.calls}"
        check()
        assert struck.run() == 0, f"{where}\n{struck.output}"
        assert struck.works() == [True, True], where
        for name in struck.made.names:
            held = struck.made.secrets.stages(name)
            assert sorted(chain(*held.values())) in _SETTLED, where
        at += every
        reset()


PLACEHOLDER = '{"username": "applicationUsername", "password": "applicationPassword"}'
_SETTLED = (["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"], ["AWSCURRENT", "AWSPENDING"])


WHEN = [pytest.param(False, id="before"), pytest.param(True, id="after", marks=pytest.mark.faults)]


@pytest.mark.parametrize("is_after", WHEN)
def test_at_every_point_of_a_rotation_the_current_login_works(
    struck: Struck, is_after: bool
) -> None:
    assert struck.run() == 0, struck.output
    assert struck.run(rotate=True) == 0, struck.output
    counted = len(struck.points.reached)

    def check() -> None:
        assert struck.works() == [True, True], struck.calls

    assert strike_everywhere(struck, check, is_after=is_after, rotate=True) == counted


@pytest.mark.parametrize("is_after", WHEN)
@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.faults), pytest.param(10)], ids=["each", "tenth"]
)
def test_at_points_of_a_first_deployment_the_next_one_finishes_it(
    struck: Struck, is_after: bool, every: int
) -> None:
    assert struck.run() == 0, struck.output
    struck.undo()
    assert struck.run() == 0, struck.output
    counted = len(struck.points.reached)
    struck.undo()

    def check() -> None:
        # Whatever login is current, it works: none is made current before.
        held = [struck.made.secrets.read(name) for name in struck.made.names]
        for one, works in zip(held, struck.works(), strict=True):
            assert works or one["username"] == "applicationUsername", struck.calls

    reached = strike_everywhere(struck, check, is_after=is_after, every=every, reset=struck.undo)
    assert reached == counted


@pytest.mark.faults
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_at_every_point_of_a_rotation_of_one_login_the_next_run_mends_it(
    struck: Struck, is_after: bool
) -> None:
    text = struck.ini.read_text()
    struck.ini.write_text(text.replace("[pgmigrations]\n", "[pgmigrations]\nrotation = single\n"))
    write_manifest(Config(str(struck.ini), attributes={"configure_logger": False}))
    assert struck.run() == 0, struck.output
    assert struck.run(rotate=True) == 0, struck.output
    counted = len(struck.points.reached)
    broken = 0

    def check() -> None:
        nonlocal broken
        broken += struck.works() != [True, True]

    assert strike_everywhere(struck, check, is_after=is_after, rotate=True) == counted
    # From the COMMIT of ALTER ROLE to the move of AWSCURRENT, for either login.
    assert 0 < broken <= 10


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_lost_call_of_secrets_manager_is_made_again(struck: Struck, is_after: bool) -> None:
    assert struck.run() == 0, struck.output
    assert struck.run(rotate=True) == 0, struck.output
    calls = [
        number
        for number, one in enumerate(struck.points.reached, 1)
        if one.startswith("secretsmanager.")
    ]
    assert len(calls) == 9
    for at in calls:
        struck.points.arm(at, lambda: None, is_after=is_after)
        assert struck.finish(rotate=True) == 0, struck.output
        assert struck.points.struck
        assert struck.works() == [True, True], struck.calls
