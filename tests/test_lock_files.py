"""The lock files are in step with pyproject.toml, and name no place of one machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def declared() -> list[Requirement]:
    """What pyproject.toml asks for: at run time, for the embedded server, for development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["embedded"],
        *project["dependency-groups"]["build"],
        *project["dependency-groups"]["dev"],
    ]
    return [Requirement(line) for line in lines if isinstance(line, str)]


def pinned(name: str) -> dict[str, set[Version]]:
    """The versions that a lock file names for each package, one for each kind of machine."""
    found: dict[str, set[Version]] = {}
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE):
        found.setdefault(canonicalize_name(package), set()).add(Version(version))
    return found


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lock_pins_what_the_project_asks_for(requirement: Requirement) -> None:
    versions = pinned("dev.txt").get(canonicalize_name(requirement.name))
    assert versions, f"{requirement.name} is not locked; run: make lock"
    assert all(version in requirement.specifier for version in versions), "run: make lock"


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lowest_lock_pins_the_lower_bound_itself(requirement: Requirement) -> None:
    bounds = {Version(each.version) for each in requirement.specifier if each.operator == ">="}
    assert pinned("lowest.txt").get(canonicalize_name(requirement.name)) == bounds, "run: make lock"


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_hashes_but_no_index_and_no_folder(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    packages = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]
    assert packages
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"://|--index|--find-links|--extra-index|(^|\s)\.{0,2}/", text)
