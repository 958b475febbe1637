"""What `upgrade` costs, with nothing to do and with everything: this package and the others.

With nothing to do, the floor is a Python that imports psycopg2, connects and selects. With
everything, it is `psql` with a commit per revision; what anything built on Alembic costs at least
is shown by a program that loads the revisions and runs them, each in a transaction, without a
version table. Every process is measured as a whole, and all reach the server through the same
relay, which counts. The cases of a size take turns, so that what else the machine does meets them
alike; the median counts.

    python -m benchmarks.upgrade --revisions 10 1000 --repeat 9 --json results.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from benchmarks.measure import Cost, measured, median
from benchmarks.proxy import Relay, relay
from benchmarks.revisions import write_node, write_ours, write_plain, write_script
from pgmigrations.embedded import EmbeddedServer, temporary_server

NODE_PG_MIGRATE = "node-pg-migrate@9"
BARE = """\
import os

import psycopg2

with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT version_num FROM pgmigrations")
    assert cursor.fetchall()
"""
REVISIONS_ALONE = """\
import os

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

script = ScriptDirectory.from_config(Config("alembic.ini"))
url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg2")
with create_engine(url, poolclass=NullPool).connect() as connection:
    with Operations.context(MigrationContext.configure(connection)):
        for one in reversed(list(script.walk_revisions())):
            with connection.begin():
                one.module.upgrade()
"""
_BIN = Path(sys.executable).parent


class Bench:
    """Projects with as many revisions, each with a database of its own.

    Args:
        folder: A folder of its own.
        server: Where the databases are made.
        between: A relay in front of it.
        revisions: How many.
        node: Folder in which node-pg-migrate is installed; None without it.
    """

    def __init__(
        self,
        folder: Path,
        server: EmbeddedServer,
        between: Relay,
        revisions: int,
        node: Path | None,
    ) -> None:
        self._folder = folder
        self._between = between
        self._server = server
        self._revisions = revisions
        self._node = node
        self._urls: dict[str, str] = {}
        write_ours(folder / "ours", revisions)
        write_plain(folder / "plain", revisions)
        write_node(folder / "node", revisions)
        (folder / "psql").mkdir()
        write_script(folder / "psql" / "all.sql", revisions)

    def apply(self, turn: int) -> Iterator[tuple[str, Cost]]:
        """Apply all revisions to new databases, and yield what each tool has cost.

        Args:
            turn: Its number, for the names of the databases; the last ones are kept for `idle`.
        """
        for name in ("ours", "plain", "alone", "node", "psql"):
            database = f"{name}_{self._revisions}_{turn}"
            self._server.create_database(database)
            given = make_url(self._server.url(database))
            made = given.set(
                drivername="postgresql", host="127.0.0.1", port=self._between.port, query={}
            )
            self._urls[name] = made.render_as_string(hide_password=False)
        psql = shutil.which("psql")
        if psql is not None:
            yield "psql, a commit per revision", self._run("psql", [psql, "-Xqf", "all.sql"])
        yield "alembic upgrade head, ours", self._run("ours", [*_alembic(), "upgrade", "head"])
        yield "alembic upgrade head, plain", self._run("plain", [*_alembic(), "upgrade", "head"])
        alone = [sys.executable, "-c", REVISIONS_ALONE]
        yield "Alembic's revisions alone", self._run("alone", alone)
        if self._node is not None:
            yield "node-pg-migrate up", self._run("node", self._node_up())

    def idle(self) -> Iterator[tuple[str, Cost]]:
        """Run each once with nothing to do."""
        yield "bare Python", self._run("ours", [sys.executable, "-c", BARE])
        yield "pgmigrations upgrade", self._run("ours", [str(_BIN / "pgmigrations"), "upgrade"])
        yield "alembic upgrade head, ours", self._run("ours", [*_alembic(), "upgrade", "head"])
        yield "alembic upgrade head, plain", self._run("plain", [*_alembic(), "upgrade", "head"])
        if self._node is not None:
            yield "node-pg-migrate up", self._run("node", self._node_up())

    def _node_up(self) -> list[str]:
        assert self._node is not None
        program = self._node / "node_modules" / ".bin" / "node-pg-migrate"
        return [str(program), "up", "--no-single-transaction"]

    def _run(self, project: str, command: Sequence[str]) -> Cost:
        url = self._urls[project]
        variables = {"DATABASE_URL": url, "XDG_CACHE_HOME": str(self._folder / "cache")}
        if project == "psql":
            command = [*command, url]
        folder = self._folder / ("plain" if project == "alone" else project)
        return measured(command, variables, folder, self._between)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, show a table for each size, and write all as JSON."""
    options = _options(arguments)
    console = Console()
    results: dict[str, dict[str, dict[str, float]]] = {}
    with (
        temporary_server(settings={"listen_addresses": ""}) as server,
        tempfile.TemporaryDirectory(prefix="pgmigrations-benchmark-") as name,
    ):
        node, reason = installed_node(Path(name) / "npm")
        if node is None:
            console.print(f"Without node-pg-migrate: {reason}")
        given = make_url(server.url("postgres"))
        with relay(str(given.query["host"]), int(str(given.query["port"]))) as between:
            benches = {
                size: Bench(Path(name) / str(size), server, between, size, node)
                for size in options.revisions
            }
            applied = applied_in_turns(benches, options.applies)
            idle = in_turns(benches, options.repeat)
    for size in options.revisions:
        for title, costs in (("nothing to do", idle[size]), ("all to do", applied[size])):
            heading = f"{size:,} revisions, {title}"
            console.print(table_of(heading, costs))
            results[heading] = {case: dataclasses.asdict(cost) for case, cost in costs.items()}
        for line in promises(idle[size], applied[size]):
            console.print(line)
    few, many = min(options.revisions), max(options.revisions)
    for case in ("pgmigrations upgrade", "alembic upgrade head, ours"):
        times = idle[many][case].cpu / idle[few][case].cpu
        console.print(f"{case}, nothing to do, {many:,} revisions, CPU, times {few:,}: {times:.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps({"cpus": os.cpu_count(), "results": results}, indent=2))


def applied_in_turns(benches: Mapping[int, Bench], turns: int) -> dict[int, dict[str, Cost]]:
    """Apply everything, tool by tool in turns, and give the medians.

    Args:
        benches: By their size.
        turns: How often; one more, which does not count, compiles the revision files.
    """
    found: dict[int, dict[str, list[Cost]]] = {size: {} for size in benches}
    for turn in range(turns + 1):
        for size, bench in benches.items():
            for case, cost in bench.apply(turn):
                if turn:
                    found[size].setdefault(case, []).append(cost)
    return {
        size: {case: median(costs) for case, costs in cases.items()}
        for size, cases in found.items()
    }


def in_turns(benches: Mapping[int, Bench], repeat: int) -> dict[int, dict[str, Cost]]:
    """Run everything with nothing to do, size by size in turns, and give the medians.

    Args:
        benches: By their size.
        repeat: How often; one more round, which does not count, warms up.
    """
    found: dict[int, dict[str, list[Cost]]] = {size: {} for size in benches}
    for round_ in range(repeat + 1):
        for size, bench in benches.items():
            for case, cost in bench.idle():
                if round_:
                    found[size].setdefault(case, []).append(cost)
    return {
        size: {case: median(costs) for case, costs in cases.items()}
        for size, cases in found.items()
    }


def installed_node(folder: Path) -> tuple[Path | None, str]:
    """Install node-pg-migrate from the npm registry; None and the reason where that fails."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None, "there is no Node here"
    folder.mkdir()
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
    command += [NODE_PG_MIGRATE, "pg"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return None, "npm install takes longer than 300 s"
    if done.returncode:
        return None, f"npm install failed: {(done.stderr.strip() or 'no reason given')[-200:]}"
    return folder, ""


def promises(idle: Mapping[str, Cost], applied: Mapping[str, Cost]) -> Iterator[str]:
    """Say how the costs are to each other."""
    bare, ours = idle["bare Python"], idle["pgmigrations upgrade"]
    yield f"nothing to do, CPU, times a bare Python: {ours.cpu / bare.cpu:.2f} (at most 2)"
    yield f"nothing to do, round trips: {ours.round_trips} (at most 4)"
    floor = applied.get("psql, a commit per revision")
    if floor is not None:
        for who, case in (
            ("ours", "alembic upgrade head, ours"),
            ("plain", "alembic upgrade head, plain"),
            ("the revisions alone", "Alembic's revisions alone"),
        ):
            wall = applied[case].wall
            yield f"all to do, wall time, times psql, {who}: {wall / floor.wall:.2f}"


def table_of(title: str, costs: Mapping[str, Cost]) -> Table:
    """Make a table of the costs, for people."""
    table = Table("case", title=title)
    for column in ("CPU ms", "wall ms", "statements", "round trips", "memory MB"):
        table.add_column(column, justify="right")
    for case, cost in costs.items():
        figures = (f"{cost.cpu * 1000:,.0f}", f"{cost.wall * 1000:,.0f}", f"{cost.statements:,}")
        table.add_row(case, *figures, f"{cost.round_trips:,}", f"{cost.memory:.0f}")
    return table


def _alembic() -> list[str]:
    return [str(_BIN / "alembic")]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upgrade")
    parser.add_argument("--revisions", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--repeat", type=int, default=9, help="runs of each; the median counts")
    parser.add_argument("--applies", type=int, default=3, help="turns in which all is applied")
    parser.add_argument("--json", type=Path, help="file that gets the figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
