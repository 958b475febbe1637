"""What `alembic check` costs: this package, plain Alembic, and the least that it could be.

The floor is a process that imports SQLAlchemy and the models and reads the catalogs, no more.
Every process is measured as a whole. All of them reach the server through the same relay, which
counts the statements and can make each round trip longer. What is compared most closely takes
turns, so that what else the machine does meets it alike; the median counts.

    python -m benchmarks.autogenerate --tables 100 1000 3000 --json results.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from benchmarks.measure import Cost, measured, median
from benchmarks.models import Style, write_models
from benchmarks.project import FLOOR, MODELS, MODELS_OURS, OURS, PLAIN, write_project
from benchmarks.proxy import Relay, relay
from pgmigrations.embedded import temporary_server
from pgmigrations.migrate.core.state import collecting
from pgmigrations.migrate.kinds import KINDS

DELAY = 0.005
"""Seconds that a distant server adds to each round trip."""
_SCHEMAS = "ARRAY['public']"


class Bench:
    """Models of one size, with everything that runs on them.

    Args:
        folder: A folder of its own.
        url: An empty database.
        tables: How many.
        style: How the models are written.
        repeat: How many turns are taken.
    """

    def __init__(self, folder: Path, url: str, tables: int, style: Style, repeat: int) -> None:
        self._folder = folder
        self._repeat = repeat
        for name, changed in (("models", False), ("changed", True)):
            write_models(folder / name, tables, style, changed=changed)
        self._ours = write_project(folder / "ours", OURS)
        self._plain = write_project(folder / "plain", PLAIN)
        sql = collecting(KINDS)
        for name in ("schemas", "places"):
            sql = sql.replace(f":{name}", _SCHEMAS)
        for name in ("roles", "grantees"):
            sql = sql.replace(f":{name}", "'{}'::text[]")
        (folder / "catalogs.sql").write_text(sql)
        self._url = make_url(url)
        self._create()

    def run(self) -> Iterator[tuple[str, Cost]]:
        """Yield each case with its cost."""
        host, port = (self._url.query.get(name) for name in ("host", "port"))
        with relay(str(host), int(str(port))) as between:
            cache = self._folder / "cache"
            models, loaded, floor = (
                [sys.executable, "-c", code] for code in (MODELS, MODELS_OURS, FLOOR)
            )
            check = self._check(self._ours)
            yield "ours, nothing known", self._once(check, between, cache)
            yield from self._in_turns(
                {
                    "models": lambda _: self._once(models, between, None),
                    "models, as ours loads them": lambda _: self._once(loaded, between, None),
                    "floor": lambda _: self._once(floor, between, None),
                    "ours": lambda _: self._once(check, between, cache),
                    "ours, one table changed": lambda turn: self._changed(between, cache, turn),
                }
            )
            yield "plain Alembic", self._once(self._check(self._plain), between, cache)
        # Plain Alembic leaves its table behind, which no model declares.
        engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        with relay(str(host), int(str(port)), DELAY) as between:
            yield from self._in_turns(
                {
                    "floor, distant": lambda _: self._once(floor, between, None),
                    "ours, distant": lambda _: self._once(check, between, cache),
                }
            )
            yield "plain Alembic, distant", self._once(self._check(self._plain), between, cache)

    def _check(self, ini: Path) -> list[str]:
        return [sys.executable, "-m", "alembic", "--config", str(ini), "check"]

    def _in_turns(self, cases: Mapping[str, Callable[[int], Cost]]) -> Iterator[tuple[str, Cost]]:
        """Run each case once in each turn; yield the medians, but for a turn that warms up."""
        found: dict[str, list[Cost]] = {name: [] for name in cases}
        for turn in range(self._repeat + 1):
            for name, run in cases.items():
                cost = run(turn)
                if turn:
                    found[name].append(cost)
        for name, costs in found.items():
            yield name, median(costs)

    def _changed(self, between: Relay, cache: Path, turn: int) -> Cost:
        """Check against one more column, as if for the first time."""
        known = self._folder / f"known_{turn}"
        shutil.copytree(cache, known)
        return measured(
            self._check(self._ours),
            self._variables(between, known),
            self._folder / "changed",
            between,
            expected=255,
        )

    def _once(self, command: Sequence[str], between: Relay, cache: Path | None) -> Cost:
        folder = self._folder / "models"
        return measured(command, self._variables(between, cache), folder, between)

    def _variables(self, between: Relay, cache: Path | None) -> Mapping[str, str]:
        url = self._url.set(host="127.0.0.1", port=between.port, query={})
        return {
            "BENCHMARK_URL": url.render_as_string(hide_password=False),
            "BENCHMARK_SQL": str(self._folder / "catalogs.sql"),
            "XDG_CACHE_HOME": str(cache or self._folder / "none"),
        }

    def _create(self) -> None:
        """Create the tables as the models say, in a process that may know them."""
        code = (
            "import os, sqlalchemy, generated\n"
            "url = os.environ['BENCHMARK_URL']\n"
            # One transaction would lock more tables than a server has room for.
            "engine = sqlalchemy.create_engine(url, isolation_level='AUTOCOMMIT')\n"
            "generated.metadata.create_all(engine)\n"
        )
        with relay(str(self._url.query["host"]), int(str(self._url.query["port"]))) as between:
            self._once([sys.executable, "-c", code], between, None)
        engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ANALYZE"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, show a table for each size, and write all as JSON."""
    options = _options(arguments)
    console = Console()
    results = []
    with temporary_server(settings={"listen_addresses": ""}) as server, _folder() as folder:
        for style in options.style:
            for tables in options.tables:
                name = f"{style}_{tables}"
                server.create_database(name)
                url = server.url(name)
                bench = Bench(folder / name, url, tables, style, options.repeat)
                costs = dict(bench.run())
                console.print(_table(f"{tables:,} tables, models of style {style}", costs))
                for line in promises(costs):
                    console.print(line)
                found = {case: dataclasses.asdict(cost) for case, cost in costs.items()}
                results.append({"style": style, "tables": tables, "costs": found})
                # A run that is cut short has measured, too.
                if options.json is not None:
                    text_ = json.dumps({"cpus": os.cpu_count(), "results": results}, indent=2)
                    options.json.write_text(text_ + "\n")


def promises(costs: Mapping[str, Cost]) -> Iterator[str]:
    """Say how the costs are to each other."""
    models, floor, ours = (costs[name] for name in ("models", "floor", "ours"))
    loaded, plain = costs["models, as ours loads them"], costs["plain Alembic"]
    changed = costs["ours, one table changed"]
    alone = (ours.cpu - loaded.cpu) / (plain.cpu - models.cpu)
    distant = costs["plain Alembic, distant"].wall, costs["ours, distant"].wall
    # What both spend on importing the models alone is more than a twentieth of the one.
    compared = distant[0] - models.wall, distant[1] - loaded.wall
    yield f"statements sent: {ours.statements} (at most 15)"
    yield f"CPU, times the floor: {ours.cpu / floor.cpu:.2f} (at most 1.2)"
    yield f"the comparison alone, of plain Alembic's: {alone:.0%} (at most 25 %)"
    yield f"one table changed, times nothing changed: {changed.cpu / ours.cpu:.2f} (at most 2)"
    yield f"5 ms away, times quicker than plain Alembic: {distant[0] / distant[1]:.1f}"
    yield f"the same, the comparison alone: {compared[0] / compared[1]:.1f} (at least 20)"


def _table(title: str, costs: Mapping[str, Cost]) -> Table:
    table = Table("case", title=title)
    for column in ("CPU s", "wall s", "statements", "memory MB"):
        table.add_column(column, justify="right")
    for case, cost in costs.items():
        figures = (f"{cost.cpu:.2f}", f"{cost.wall:.2f}", f"{cost.statements:,}")
        table.add_row(case, *figures, f"{cost.memory:.0f}")
    return table


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pgmigrations-benchmark-") as name:
        yield Path(name)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autogenerate")
    parser.add_argument("--tables", type=int, nargs="+", default=[100, 1000, 3000])
    styles = ["core", "declarative"]
    parser.add_argument("--style", nargs="+", choices=styles, default=styles)
    parser.add_argument("--repeat", type=int, default=3, help="turns; the median counts")
    parser.add_argument("--json", type=Path, help="file that gets the figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
