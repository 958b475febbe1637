from __future__ import annotations

import time
from pathlib import Path

import pytest

from pgmigrations.migrate.core.revision_file import RevisionFile
from pgmigrations.migrate.core.revision_name import next_revision_id, slug
from pgmigrations.settings import Settings


def files(*stems: str) -> list[RevisionFile]:
    return [RevisionFile(Path(f"{stem}.py"), stem, ()) for stem in stems]


@pytest.mark.parametrize(
    ("existing", "settings", "expected"),
    [
        ([], Settings(), "001_x"),
        (["001_a", "002_b"], Settings(), "003_x"),
        (["001_a", "009_b"], Settings(), "010_x"),
        (["999_a"], Settings(), "1000_x"),
        (["0001_a"], Settings(), "0002_x"),
        (["1_a"], Settings(revision_number_width=1), "2_x"),
        ([], Settings(revision_number_floor=16), "016_x"),
        (["003_a"], Settings(revision_number_floor=16), "016_x"),
        (["040_a"], Settings(revision_number_floor=16), "041_x"),
        ([], Settings(revision_number_floor=0), "000_x"),
        (["ae1027a6acf_a"], Settings(), "001_x"),
        (["1704110400000_a"], Settings(), "001_x"),
        (["1704110400000_a", "004_b"], Settings(), "005_x"),
    ],
)
def test_sequential_names_follow_the_files_and_the_floor(
    existing: list[str], settings: Settings, expected: str
) -> None:
    assert next_revision_id(settings, "x", files(*existing), []) == expected


def test_several_revisions_of_one_run_get_different_numbers() -> None:
    assert next_revision_id(Settings(), "x", files("001_a"), ["002_y"]) == "003_x"


def test_timestamps_are_milliseconds_of_now() -> None:
    before = time.time() * 1000 - 1
    revision = next_revision_id(Settings(revision_names="timestamp"), "x", [], [])
    number, _, rest = revision.partition("_")
    assert before <= int(number) <= time.time() * 1000
    assert rest == "x"


def test_timestamps_are_never_twice_the_same() -> None:
    ahead = str(int(time.time() * 1000) + 3_600_000)
    settings = Settings(revision_names="timestamp")
    first = next_revision_id(settings, "x", files(f"{ahead}_a"), [])
    second = next_revision_id(settings, "x", files(f"{ahead}_a"), [first])
    assert first == f"{int(ahead) + 1}_x"
    assert second == f"{int(ahead) + 2}_x"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Add favorites", "add_favorites"),
        ("Füge Überschrift hinzu!", "fuge_uberschrift_hinzu"),
        ("日本", "revision"),
        ("", "revision"),
        (None, "revision"),
        ("../../etc/passwd", "etc_passwd"),
        ("a'b\"c\\d", "a_b_c_d"),
        ("word " * 30, "word_" * 11 + "word"),
        ("a" * 200, "a" * 60),
    ],
)
def test_slug_keeps_ascii_words(message: str | None, expected: str) -> None:
    assert slug(message) == expected
