"""A function begins nothing that it cannot end, and the next call goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgmigrations.aws import handler as function
from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.run import Deployment, deploy
from pgmigrations.deploy.step_time import StepTooLong
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.deploy.wiring import Wiring
from tests.support.deployment import Stage
from tests.support.project import Project

INDEX = """\
from pgmigrations import op
revision, down_revision = "{name}", "{parent}"

def upgrade() -> None:
    op.create_index("{name}", "account", ["id"])

def downgrade() -> None:
    op.drop_index("{name}")
"""
SECONDS = 11
"""What an index of the filled table is thought to take at 1 MB/s, at least."""


@pytest.fixture
def project(tmp_path: Path, made: Stage) -> Project:
    """Two indexes are to be built on a table of some megabytes."""
    made.make_secrets()
    project = made.project(tmp_path / "project", step_rate="1")
    for name, parent in (("003_first", "002_access"), ("004_second", "003_first")):
        text = INDEX.format(name=name, parent=parent)
        (project.versions / f"{name}.py").write_text(text)
    deployed(project, made, Order(target="002_access"))
    made.ask("INSERT INTO account SELECT generate_series(1, 230000)")
    ((size,),) = made.ask("SELECT pg_total_relation_size('account') / 1024 / 1024")
    assert SECONDS <= size < SECONDS + 5
    return project


def deployed(
    project: Project, made: Stage, order: Order | None = None, limit: TimeLimit | None = None
) -> Deployment:
    store = SecretsManager(made.secrets.client())
    wiring = Wiring.of(project.path / "alembic.ini", made.environ(), store)
    return deploy(wiring, order, limit)


def clock(made: Stage, seconds: float, each: float = 0) -> Callable[[], float]:
    """A limit from which every revision that is applied takes its share."""

    def left() -> float:
        ((applied,),) = made.ask(
            "SELECT count(*) FROM pgmigrations_history "
            "WHERE status = 'applied' AND revision >= '003'"
        )
        return seconds - each * float(applied)

    return left


def test_it_stops_before_a_revision_that_it_has_no_time_for(project: Project, made: Stage) -> None:
    done = deployed(project, made, limit=TimeLimit(clock(made, 60, each=20)))
    assert (done.status, done.after, done.remaining) == (
        "incomplete",
        ("003_first",),
        ("004_second",),
    )
    assert [one["revision"] for one in done.revisions] == ["003_first"]
    assert done.secrets == ()
    done = deployed(project, made, limit=TimeLimit(lambda: 60))
    assert (done.status, done.after, done.remaining) == ("deployed", ("004_second",), ())
    assert len(done.secrets) == 2


def test_a_revision_longer_than_any_call_is_refused_before_it_begins(
    project: Project, made: Stage
) -> None:
    with pytest.raises(StepTooLong, match="container job") as caught:
        deployed(project, made, limit=TimeLimit(lambda: 20))
    assert caught.value.revision == "003_first"
    assert caught.value.seconds >= SECONDS
    assert made.ask("SELECT version_num FROM pgmigrations") == [("002_access",)]
    assert deployed(project, made).after == ("004_second",)


class Clock:
    """Lambda's context."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left

    invoked_function_arn = "arn"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left() * 1000)


@pytest.fixture
def environ(project: Project, made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in made.environ().items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("PGMIGRATIONS_INI", str(project.path / "alembic.ini"))
    monkeypatch.setattr(function, "_STORE", SecretsManager(made.secrets.client()))


@pytest.mark.usefixtures("environ")
def test_a_call_with_an_order_is_told_what_remains(made: Stage) -> None:
    said = function.handler({"target": "head"}, Clock(clock(made, 60, each=20)))
    assert (said["status"], said["remaining"]) == ("incomplete", ["004_second"])


@pytest.mark.usefixtures("environ")
def test_a_call_that_reads_no_result_fails(made: Stage) -> None:
    with pytest.raises(
        function.DeploymentFailed,
        match=r"^deployment_incomplete: There was time for 1 of 2 revisions; 004_second is next",
    ):
        function.handler({}, Clock(clock(made, 60, each=20)))
    assert function.handler({}, Clock(lambda: 60))["status"] == "deployed"


@pytest.mark.usefixtures("environ")
def test_the_provider_framework_calls_again_until_it_is_done(made: Stage) -> None:
    event: dict[str, Any] = {"RequestType": "Update", "ResourceProperties": {"GoesOn": "true"}}
    answered = function.handler(event, Clock(clock(made, 60, each=20)))
    assert answered["Data"]["Status"] == "incomplete"
    polled = function.is_complete(event | answered, Clock(lambda: 60))
    assert polled["IsComplete"] is True
    assert polled["Data"]["Revisions"] == "004_second"
    assert function.is_complete(event | polled, Clock(lambda: 60)) == {"IsComplete": True}


@pytest.mark.usefixtures("environ")
def test_without_it_a_resource_that_is_incomplete_fails(made: Stage) -> None:
    with pytest.raises(function.DeploymentFailed, match="deployment_incomplete"):
        function.handler({"RequestType": "Create"}, Clock(clock(made, 60, each=20)))


def test_a_lock_is_waited_for_no_longer_than_there_is_time() -> None:
    assert TimeLimit(lambda: 100).at_most(600) == 70
    assert TimeLimit(lambda: 40).at_most(600) == 20
    assert TimeLimit(lambda: 100).at_most(5) == 5
    assert TimeLimit().at_most(600) == 600
    times = iter((100, 25))
    assert TimeLimit(lambda: next(times)).at_most(600) == 0
