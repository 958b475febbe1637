"""A few random pairs with each run of the tests; `make fuzz` runs as many as one likes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.draw_pair import Pair, draw_pair
from tests.fuzz.edits import EDITS
from tests.fuzz.found import FOUND
from tests.fuzz.found_name import ALL_PASSING, PASSING
from tests.fuzz.run_pair import PairFailed, PairRun
from tests.fuzz.shrink import shrunk
from tests.fuzz.spec import ColumnSpec, SchemaSpec, TableSpec
from tests.fuzz.valid import valid
from tests.support.database import Databases


@pytest.fixture(scope="module")
def pair_run(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> PairRun:
    return PairRun(databases, tmp_path_factory.mktemp("fuzz") / "project")


@settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    # What fails is made smaller by `make fuzz`, which knows what the parts are.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(min_value=1, max_value=10**9))
def test_random_schemas_lead_to_each_other(
    seed: int, pair_run: PairRun, databases: Databases
) -> None:
    pair_run.run(draw_pair(Random(seed), databases.version // 10000))


@pytest.mark.parametrize("name", FOUND)
def test_what_once_failed_does_not_fail_again(
    name: str, pair_run: PairRun, databases: Databases
) -> None:
    _run(FOUND[name], pair_run, databases)


def test_names_pass_between_all_sorts(pair_run: PairRun, databases: Databases) -> None:
    _run(ALL_PASSING, pair_run, databases)


@pytest.mark.thorough
@pytest.mark.parametrize("name", PASSING)
def test_a_name_passes(name: str, pair_run: PairRun, databases: Databases) -> None:
    _run(PASSING[name], pair_run, databases)


def _run(pair: Pair, pair_run: PairRun, databases: Databases) -> None:
    before, after = (valid(spec, databases.version // 10000) for spec in (pair.before, pair.after))
    pair_run.run(replace(pair, before=before, after=after))


def test_the_same_seed_gives_the_same_pair() -> None:
    assert draw_pair(Random(1), 18) == draw_pair(Random(1), 18)


def test_every_edit_is_made() -> None:
    counts: Counter[str] = Counter()
    for seed in range(500):
        counts.update(draw_pair(Random(seed), 18).edits)
    assert set(counts) == set(EDITS)


def test_a_pair_that_fails_is_made_small() -> None:
    """Whatever it was drawn with, what is left is what the failure needs."""

    def run(pair: Pair) -> None:
        if any(one.type == "jsonb" for table in pair.after.tables for one in table.columns):
            raise PairFailed("here", "it has a jsonb")

    pairs = (draw_pair(Random(seed), 18) for seed in range(500))
    failure = PairFailed("here", "it has a jsonb")
    for pair in pairs:
        try:
            run(pair)
        except PairFailed:
            break
    small, _ = shrunk(pair, failure, run, 60, 18)
    left = [one.type for table in small.after.tables for one in table.columns]
    assert left.count("jsonb") == 1
    assert len(small.before.tables) + len(small.after.tables) <= 3


def test_a_pair_that_does_not_arrive_is_seen(pair_run: PairRun) -> None:
    """Storage is said by a statement that no revision can run: the type has no other."""
    table = TableSpec("", "t", (ColumnSpec("c", "integer", storage="EXTERNAL"),))
    with pytest.raises(PairFailed):
        pair_run.run(Pair(SchemaSpec(), SchemaSpec((table,))))


@pytest.mark.parametrize("name", FOUND)
def test_what_once_failed_is_run_whole_on_the_newest_server(name: str) -> None:
    assert valid(FOUND[name].before, 18) == FOUND[name].before
    assert valid(FOUND[name].after, 18) == FOUND[name].after
