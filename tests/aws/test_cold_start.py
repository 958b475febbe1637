"""What a cold start with nothing to do costs, beside a bare handler's."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.deploy import cold_starts
from tests.support.deployment import Stage
from tests.support.lambda_function import lambda_function

MOST_OF_BARE = 1.5
MOST_MEGABYTES = 128


def test_nothing_to_do_costs_little_more_than_a_bare_handler(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as running:
        assert running.invoke({})["status"] == "deployed"
    bare, ours = cold_starts(project.path, made.environ(), repeat=5)
    assert max(one.megabytes for one in ours) < MOST_MEGABYTES
    assert median(one.cpu for one in ours) <= MOST_OF_BARE * median(one.cpu for one in bare)
