"""Others are in the way of ALTER TABLE: a reader, and a vacuum."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pgmigrations.embedded import temporary_server
from tests.run.test_runner import connected, query, write
from tests.support.project import Project

ALTERS = """\
op.add_column("before", sa.Column("more", sa.Integer), if_not_exists=True)
op.add_column("account", sa.Column("more", sa.Integer), if_not_exists=True)
"""
BEFORE = {
    "nothing": "",
    "an index": 'op.create_index("ix", "other", ["id"], postgresql_concurrently=True)\n',
    "a commit": "op.execute('SELECT 1')\nop.get_bind().commit()\n",
}
"""What a revision begins with: a part of it may be committed, and what follows has limits, too."""


@dataclass
class Client:
    """Reads a table all the time, and notes how long each reading took."""

    url: str
    table: str
    durations: list[float] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._is_over.set()
        self._thread.join()

    def _read(self) -> None:
        with connected(self.url) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not self._is_over.wait(0.002):
                began = time.monotonic()
                cursor.execute(f"SELECT count(*) FROM {self.table}")
                self.durations.append(time.monotonic() - began)

    @property
    def held_up(self) -> float:
        """Seconds in readings that took longer than a reading does."""
        return sum(one for one in self.durations if one > 0.01)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    "seconds", [pytest.param(4, id="4 s"), pytest.param(20, id="20 s", marks=pytest.mark.faults)]
)
def test_nobody_queues_behind_an_upgrade_that_waits_for_a_reader(
    seconds: int, before: str, tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url)
    write(
        project,
        "001_tables",
        None,
        "".join(
            f'op.execute("CREATE TABLE {name} (id int)")\n'
            for name in ("before", "account", "other")
        ),
    )
    project.upgrade()
    write(project, "002_alter", "001_tables", BEFORE[before] + ALTERS)
    with connected(database_url) as reader:
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM account")
        clients = [Client(database_url, name) for name in ("before", "account", "other")]
        upgrade = threading.Thread(target=project.upgrade)
        upgrade.start()
        time.sleep(seconds)
        was_waiting = upgrade.is_alive()
        reader.rollback()
        upgrade.join(timeout=30)
    for client in clients:
        client.stop()
    assert was_waiting
    assert not upgrade.is_alive()
    assert query(database_url, "SELECT count(more) FROM account") == [(0,)]
    # What the machine itself holds up is seen on the table that nobody alters.
    *altered, other = clients
    for client in altered:
        assert max(client.durations) - max(other.durations) < 0.2
        assert client.held_up - other.held_up < 0.05 * seconds


@pytest.mark.faults
def test_a_vacuum_in_the_way_is_ended(tmp_path: Path) -> None:
    slow = {
        "autovacuum": "on",
        "autovacuum_naptime": "1s",
        "autovacuum_vacuum_threshold": "10",
        "autovacuum_vacuum_scale_factor": "0",
        "autovacuum_vacuum_cost_delay": "100ms",
        "autovacuum_vacuum_cost_limit": "1",
    }
    with temporary_server(settings=slow) as server:
        server.create_database("vacuumed")
        url = server.url("vacuumed")
        project = Project(tmp_path / "project", url)
        write(
            project,
            "001_table",
            None,
            'op.execute("CREATE TABLE account AS SELECT g AS id "\n'
            '           "FROM generate_series(1, 300000) g")',
        )
        project.upgrade()
        query(url, "DELETE FROM account WHERE id % 2 = 0 RETURNING 1")
        at_work = "SELECT count(*) FROM pg_stat_progress_vacuum"
        end = time.monotonic() + 60
        while query(url, at_work) == [(0,)]:
            assert time.monotonic() < end, "no vacuum has begun"
            time.sleep(0.1)
        write(project, "002_alter", "001_table", 'op.execute("ALTER TABLE account ADD n int")')
        began = time.monotonic()
        project.upgrade()
        # It would go on for minutes.
        assert time.monotonic() - began < 20
        assert query(url, "SELECT count(n) FROM account") == [(0,)]
