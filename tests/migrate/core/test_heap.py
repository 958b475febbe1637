"""Whoever pauses or freezes the garbage collector leaves it as it was."""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgmigrations import api
from pgmigrations.migrate.core import heap
from pgmigrations.migrate.core.heap import growing_heap, settled_heap
from pgmigrations.migrate.env import loading_models
from tests.support.project import Project


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


class Link:
    """Something that can refer to itself."""

    link: Link


def test_nothing_is_collected_while_models_are_loaded() -> None:
    with loading_models():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_is_made_meanwhile_is_old_afterwards() -> None:
    gc.collect()
    with growing_heap():
        made = [Link() for _ in range(1000)]
    young = {id(one) for one in [*gc.get_objects(0), *gc.get_objects(1)]}
    assert not young & {id(one) for one in made}
    assert gc.get_freeze_count() == 0


def test_what_became_garbage_meanwhile_is_collected_later() -> None:
    gc.collect()
    with growing_heap():
        one = Link()
        one.link = one
        del one
    assert not any(type(found) is Link for found in gc.get_objects(0))
    gc.collect()
    assert not any(type(found) is Link for found in gc.get_objects())


def test_a_failing_import_lets_the_collector_go_on() -> None:
    with pytest.raises(ImportError), loading_models():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with loading_models():
        pass
    assert not gc.isenabled()


def test_what_somebody_else_has_frozen_stays_settled_heap() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with loading_models(), settled_heap():
        pass
    assert gc.get_freeze_count() >= before > 0


@pytest.mark.parametrize("place", ["in a module", "of nobody"])
def test_what_is_left_at_the_end_is_let_go_all_the_same(place: str) -> None:
    code = """
import sys
from pgmigrations.migrate.core.heap import skip_at_exit

class Link:
    def __del__(self):
        print("ended", flush=True)

skip_at_exit()
one = Link()
one.link = one
if sys.argv[1] == "of nobody":
    del one
"""
    command = [sys.executable, "-c", code, place]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("ended\n", "")


@pytest.mark.parametrize("is_command", [True, False])
def test_a_command_alone_ends_without_a_collection(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, is_command: bool
) -> None:
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    project = Project(tmp_path, database_url)
    if is_command:
        project.run("current")
    else:
        api.upgrade(database_url, ini=project.path / "alembic.ini")
    assert registered == [heap._disable] * is_command
