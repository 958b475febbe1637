from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgmigrations.migrate.core.cache import Cache
from pgmigrations.migrate.core.fingerprint import Fingerprint
from pgmigrations.migrate.core.remembered import Remembered
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.core.state import State
from pgmigrations.migrate.kinds import KINDS

SCOPE = Scope("public", frozenset({"public"}))
PRINTS = Fingerprint({("public", "t"): "a"}, "rest")
STATE = State(
    KINDS, SCOPE, {kind.name: ['["é", "a\\nb"]'] if kind.name == "enum" else [] for kind in KINDS}
)


def remembered(cache: Cache, environment: str = "e" * 40) -> Remembered:
    return Remembered(cache, environment, KINDS, SCOPE)


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    remembered(Cache(tmp_path)).keep(PRINTS, STATE)
    found = remembered(Cache(tmp_path)).declared(PRINTS)
    assert found is not None
    assert found.lines == STATE.lines


def test_other_models_and_other_environments_are_not_found(tmp_path: Path) -> None:
    remembered(Cache(tmp_path)).keep(PRINTS, STATE)
    assert remembered(Cache(tmp_path)).declared(Fingerprint({}, "rest")) is None
    # Only the first signs of an environment are in a file's name.
    other = "e" * 20 + "f" * 20
    assert remembered(Cache(tmp_path), other).declared(PRINTS) is None


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "text", "JSON"])
def test_a_file_that_is_not_whole_is_none(tmp_path: Path, harm: str) -> None:
    remembered(Cache(tmp_path)).keep(PRINTS, STATE)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    harmed = {
        "cut": content[:-3],
        "changed": content.replace(b"a", b"b"),
        "emptied": b"",
        "text": b"\xff\x00 nothing of ours",
        "JSON": b"[1]\n[2]",
    }
    path.write_bytes(harmed[harm])
    assert remembered(Cache(tmp_path)).declared(PRINTS) is None
    assert remembered(Cache(tmp_path)).latest() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"environment": 7}'])
def test_judgements_that_cannot_be_read_are_none(tmp_path: Path, content: bytes) -> None:
    first = remembered(Cache(tmp_path))
    first.judge("key", is_same=True)
    first.close()
    assert remembered(Cache(tmp_path)).judgement("key") is True
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert remembered(Cache(tmp_path)).judgement("key") is None


def test_a_folder_that_cannot_be_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "folder")
    cache.write("name", b"content")
    assert cache.read("name") is None
    assert cache.names("") == []


def test_without_a_folder_nothing_is_kept() -> None:
    cache = Cache.of("off")
    cache.write("name", b"content")
    assert cache.read("name") is None


@pytest.mark.parametrize("limit", [{"most_bytes": 250}, {"most_files": 2}])
def test_what_was_used_longest_ago_is_dropped_first(tmp_path: Path, limit: dict[str, int]) -> None:
    cache = Cache(tmp_path, **limit)
    for number, name in enumerate(("first", "second")):
        cache.write(name, b"x" * 100)
        os.utime(tmp_path / name, (number, number))
    assert cache.read("first") is not None
    cache.write("third", b"x" * 100)
    assert cache.names("") == ["third", "first"]


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write("name", b"one")
    cache.write("name", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["name"]
    assert cache.read("name") == b"two"


def test_the_folder_follows_the_setting_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "base"))
    Cache.of("").write("name", b"")
    Cache.of(str(tmp_path / "own")).write("name", b"")
    assert (tmp_path / "base" / "pgmigrations" / "name").exists()
    assert (tmp_path / "own" / "name").exists()
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
