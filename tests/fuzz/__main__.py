"""`make fuzz`: random pairs of schemas, each taken from one to the other and back.

Prints the seed of every pair that fails, a small description of it, and in the end how often each
edit was made. A pair's seed alone makes the pair again: `--seed SEED --pairs 1`.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.draw_pair import MOST_EDITS, Pair, draw_pair
from tests.fuzz.edits import EDITS
from tests.fuzz.run_pair import PairFailed, PairRun
from tests.fuzz.shrink import described, shrunk, signature
from tests.support.database import Databases
from tests.support.server import ServerAddress, SessionServer


@dataclass(frozen=True)
class Outcome:
    """What came of one pair; an empty report is a success."""

    seed: int
    edits: tuple[str, ...]
    rows: int = 0
    signature: str = ""
    report: str = ""


_RUN: dict[str, Any] = {}
"""What a worker process holds."""


def main() -> int:
    """Run the fuzzer; 1 if a pair failed."""
    options = _options()
    server = SessionServer(options.server)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    failures: dict[str, list[int]] = {}
    rows = done = 0
    try:
        address = server.address
        print(f"server: {options.server}, seeds {options.seed} to {_last(options)}", flush=True)
        for outcome in _outcomes(options, address):
            done += 1
            counts.update(outcome.edits)
            rows += outcome.rows
            if outcome.report:
                known = failures.setdefault(outcome.signature, [])
                known.append(outcome.seed)
                print(_told(outcome, options, len(known)), flush=True)
            if done % 50 == 0:
                seconds = time.monotonic() - started
                failed = sum(map(len, failures.values()))
                print(f"{done} pairs, {failed} failed, {seconds:.0f} s", flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted", flush=True)
    finally:
        server.stop()
    _summarise(counts, failures, done, rows, time.monotonic() - started)
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, default=None, help="of the first pair; else random")
    parser.add_argument("--server", default="embedded", help="as pytest's --server")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--without", action="append", default=[], help="an edit to leave out")
    parser.add_argument("--only", action="append", default=[], help="an edit to take, no other")
    parser.add_argument("--edits", type=int, default=MOST_EDITS, help="of a pair, at most")
    parser.add_argument("--rounds", type=int, default=1, help="revisions allowed for a change")
    parser.add_argument("--keep", type=Path, help="folder in which a failing project is left")
    parser.add_argument("--no-shrink", action="store_true", help="leave failing pairs as they are")
    parser.add_argument("--shrink-seconds", type=float, default=60, help="longest, for each pair")
    options = parser.parse_args()
    unknown = {*options.without, *options.only} - set(EDITS)
    if unknown:
        parser.error(f"no such edit: {', '.join(sorted(unknown))}; there are {', '.join(EDITS)}")
    if options.only:
        options.without = [name for name in EDITS if name not in options.only]
    if options.seed is None:
        options.seed = Random().randrange(10**6) * 1000
    return options


def _last(options: argparse.Namespace) -> int:
    last: int = options.seed + options.pairs - 1
    return last


def _outcomes(options: argparse.Namespace, address: ServerAddress) -> Iterator[Outcome]:
    seeds = range(options.seed, options.seed + options.pairs)
    if options.jobs == 1:
        _begin(options, address)
        yield from map(_outcome, seeds)
        _RUN["databases"].close()
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(options.jobs, _begin_apart, (options, address)) as pool:
        yield from pool.imap_unordered(_outcome, seeds)


def _begin_apart(options: argparse.Namespace, address: ServerAddress) -> None:
    """Let Ctrl-C end the process that prints what there is to say, not the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _begin(options, address)


def _begin(options: argparse.Namespace, address: ServerAddress) -> None:
    logging.disable(logging.WARNING)
    databases = Databases(address)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="pgm_fuzz_"))
    _RUN.update(
        options=options,
        databases=databases,
        run=PairRun(databases, folder / f"project_{os.getpid()}", rounds=options.rounds),
        has_lz4=_has_lz4(databases),
    )


def _has_lz4(databases: Databases) -> bool:
    found = databases.connection.exec_driver_sql(
        "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
    )
    return bool(found.scalar_one())


def _outcome(seed: int) -> Outcome:
    options = _RUN["options"]
    pair = draw_pair(
        Random(seed),
        _RUN["databases"].version // 10000,
        has_lz4=_RUN["has_lz4"],
        without=options.without,
        most_edits=options.edits,
    )
    rows = _RUN["run"].rows
    try:
        _RUN["run"].run(pair)
    except PairFailed as failure:
        return _failed(seed, pair, failure)
    except Exception:
        return Outcome(seed, pair.edits, 0, "the fuzzer itself", traceback.format_exc())
    return Outcome(seed, pair.edits, _RUN["run"].rows - rows)


def _failed(seed: int, pair: Pair, failure: PairFailed) -> Outcome:
    options = _RUN["options"]
    report = str(failure)
    if not options.no_shrink:
        major = _RUN["databases"].version // 10000
        small, failure = shrunk(pair, failure, _RUN["run"].run, options.shrink_seconds, major)
        report = f"{failure}\n{described(small)}"
    return Outcome(seed, pair.edits, 0, signature(failure), report)


def _told(outcome: Outcome, options: argparse.Namespace, times: int) -> str:
    more = "" if options.edits == MOST_EDITS else f" --edits {options.edits}"
    command = f'make fuzz ARGS="--seed {outcome.seed} --pairs 1 --server {options.server}{more}"'
    shown = outcome.report if times <= 3 else outcome.report[:300]
    return f"FAILED {outcome.seed} ({', '.join(outcome.edits)})\n  {command}\n{shown}\n"


def _summarise(
    counts: Counter[str],
    failures: dict[str, list[int]],
    done: int,
    rows: int,
    seconds: float,
) -> None:
    print("\nedits made:")
    for name in EDITS:
        print(f"  {counts[name]:6} {name}")
    failed = sum(map(len, failures.values()))
    made = f"{sum(counts.values())} edits, {rows} rows that came through"
    print(f"\n{done} pairs, {made}, {failed} failed, {seconds:.0f} s")
    for name, seeds in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"  {len(seeds):4} {name}: {', '.join(map(str, seeds[:8]))}")


if __name__ == "__main__":
    sys.exit(main())
