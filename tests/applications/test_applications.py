"""Whole applications' models through everything; `make applications` runs these.

Each application is installed into an environment of its own below `.servers/`, which takes a minute
or two the first time.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scripts.test_all import NotProvidedError, find_python
from tests.applications.application import ROOT, Application, applications
from tests.applications.edits import edits
from tests.applications.outcome import Outcome, Outcomes
from tests.applications.whole import STEPS
from tests.support.database import Databases
from tests.support.dump import embedded_pg_dump

pytestmark = pytest.mark.applications

APPLICATIONS = [pytest.param(one, id=one.name) for one in applications().values()]


def run(
    application: Application, what: str, databases: Databases, folder: Path, node: pytest.Item
) -> list[Outcome]:
    """Run a part of the way in the application's own environment."""
    try:
        python = application.provide(find_python(application.python))
    except (NotProvidedError, subprocess.CalledProcessError) as reason:
        pytest.skip(f"{application.name} cannot be installed here: {reason}")
    outcomes = Outcomes(folder / "outcomes")
    command = [
        str(python),
        "-m",
        "tests.applications.run",
        application.name,
        databases.address.url,
        f"{databases.address.run}_{application.name}",
        str(embedded_pg_dump().parent),
        str(folder / "outcomes"),
        what,
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = outcomes.read()
    # Reports carry them to the table, out of a worker process, too.
    node.user_properties.extend(
        (what, (application.name, one.step, one.reason, one.note)) for one in found
    )
    failed = [f"{one.step}: {one.reason}" for one in found if one.reason]
    assert not failed, "\n\n".join(failed)
    assert done.returncode == 0, done.stderr[-4000:]
    return found


@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_whole_models_go_up_and_down(
    application: Application,
    databases: Databases,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    found = run(application, "whole", databases, tmp_path, request.node)
    assert [one.step for one in found] == list(STEPS)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_each_edit_is_seen_applied_and_taken_back(
    application: Application,
    databases: Databases,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    found = run(application, "edits", databases, tmp_path, request.node)
    assert [one.step for one in found] == [edit.name for edit in edits()]
