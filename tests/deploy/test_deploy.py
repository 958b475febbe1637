"""From an empty database to logins that work, and nothing more the next time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmigrations.deploy.order import Order
from pgmigrations.deploy.rotation import Reason
from pgmigrations.deploy.run import Deployment, deploy
from pgmigrations.deploy.wiring import Wiring
from tests.support.deployment import PROXY, Stage
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, made: Stage) -> Project:
    made.make_secrets()
    return made.project(tmp_path / "project")


def deployed(project: Project, made: Stage, order: Order | None = None) -> Deployment:
    from pgmigrations.aws.secrets_manager import SecretsManager

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
