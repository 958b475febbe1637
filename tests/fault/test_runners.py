"""Ten runs at once, on an empty database, of a history that builds indexes concurrently."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.fault.history import REVISIONS, write_history
from tests.run.test_runner import query, start
from tests.support.database import Databases
from tests.support.project import Project

RUNNERS = 10
APPLIED = (
    "SELECT revision, count(*) FROM pgmigrations_history WHERE status = 'applied' "
    "GROUP BY revision ORDER BY revision"
)


@pytest.mark.faults
@pytest.mark.parametrize(("rounds", "killed"), [(20, 0), (5, 2)])
def test_each_revision_is_applied_once(
    rounds: int, killed: int, databases: Databases, tmp_path: Path
) -> None:
    for number in range(rounds):
        with databases.fresh() as url:
            project = Project(tmp_path / f"project{number}", url)
            write_history(project)
            running = [start(project, "upgrade", "head") for _ in range(RUNNERS)]
            for victim in running[:killed]:
                time.sleep(random.Random(number).uniform(0.5, 4))
                victim.kill()
            ended = [one.communicate(timeout=300)[1] for one in running]
            codes = [one.returncode for one in running[killed:]]
            assert codes == [0] * (RUNNERS - killed), ended
            applied = query(url, APPLIED)
            assert applied == [(f"{n:03}_step", 1) for n in range(1, len(REVISIONS) + 1)]
            assert _deadlocks(databases, url) == 0


def _deadlocks(databases: Databases, url: str) -> int:
    counted = text("SELECT deadlocks FROM pg_stat_database WHERE datname = :name")
    name = {"name": url.partition("?")[0].rpartition("/")[2]}
    return int(databases.connection.execute(counted, name).scalar_one())
