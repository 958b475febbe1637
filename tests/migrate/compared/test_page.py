"""The page of comparison names every case, and no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.migrate.compared import test_clean, test_detected, test_seen, test_vectors

FOLDER = Path(__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "alembic-compared.md"
NAMED = re.compile(r"\| `(test_\w+\.py)`(?:: (.+?))? \|$", re.MULTILINE)

CASES: Mapping[str, Mapping[str, Any]] = {
    "test_seen.py": test_seen.CASES,
    "test_detected.py": test_detected.CASES,
    "test_clean.py": {**test_clean.MADE, **test_clean.LEFT_ALONE, **test_clean.TAKEN},
    "test_vectors.py": test_vectors.CASES,
}


def test_each_row_names_a_test_that_exists() -> None:
    found = NAMED.findall(PAGE.read_text())
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    headers = [line for line in rows if line.startswith("| Case ")]
    assert len(found) == len(rows) - len(headers)
    for file, case in found:
        assert (FOLDER / file).is_file() or (FOLDER.parent / file).is_file()
        assert not case or case in CASES[file], case


def test_each_case_has_its_row() -> None:
    found = set(NAMED.findall(PAGE.read_text()))
    assert {(file, case) for file, cases in CASES.items() for case in cases} <= found


def test_the_operations_of_a_row_are_those_of_its_test() -> None:
    said = re.compile(r"^\| .+? \| (.*?) \| `(test_\w+\.py)`: (.+?) \|$", re.MULTILINE)
    wrong = []
    for text, file, name in said.findall(PAGE.read_text()):
        case = CASES[file][name]
        named = re.findall(r"`op\.(\w+)`", text)
        if named and set(named) != set(getattr(case, "calls", named)):
            wrong.append(name)
    assert wrong == []
