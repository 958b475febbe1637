"""A process, and what it has cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proxy import Relay


@dataclass(frozen=True)
class Cost:
    """What one process has cost, from its start to its end.

    Attributes:
        cpu: Seconds of user and system time of the process; the server's are not in it.
        wall: Seconds.
        statements: How many were sent, BEGIN and ROLLBACK included, by all its connections.
        memory: The most that it held, in MB.
        round_trips: How many messages waited for an answer.
    """

    cpu: float
    wall: float
    statements: int
    memory: float
    round_trips: int


class Failed(Exception):
    """A process that did not end as it should."""


def measured(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    between: Relay,
    expected: int = 0,
) -> Cost:
    """Run a command and measure it.

    Args:
        command: What to run.
        environment: Variables in addition to those of this process.
        folder: Where it finds its modules, and writes what it says.
        between: What its statements pass through.
        expected: The exit code that it must have.

    Raises:
        Failed: It ended otherwise.
    """
    between.clear()
    output = folder / "output"
    variables = {**os.environ, "PYTHONPATH": str(folder), **environment}
    # Nobody compiles the same files again each time.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=variables, stdout=file, stderr=file, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expected:
        raise Failed(f"{' '.join(command)}: {process.returncode}\n{output.read_text()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    statements, memory = len(between.statements), usage.ru_maxrss / 1024
    return Cost(cpu, wall, statements, memory, between.round_trips)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        cpu=statistics.median(cost.cpu for cost in costs),
        wall=statistics.median(cost.wall for cost in costs),
        statements=max(cost.statements for cost in costs),
        memory=statistics.median(cost.memory for cost in costs),
        round_trips=max(cost.round_trips for cost in costs),
    )
