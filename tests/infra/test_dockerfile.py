"""The Dockerfile, read: there is no Docker where the tests run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.infra.conftest import ROOT

DOCKERFILE = ROOT / "Dockerfile"


class Instruction(NamedTuple):
    """An instruction of a stage, with its continued lines joined."""

    stage: str
    name: str
    text: str


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions in their order."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    found = []
    stage = ""
    for line in filter(None, text.splitlines()):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.rpartition(" AS ")[2]
        found.append(Instruction(stage, name, " ".join(rest.split())))
    return found


def of(stage: str, name: str) -> list[str]:
    """The texts of a stage's instructions of a name."""
    return [one.text for one in instructions() if (one.stage, one.name) == (stage, name)]


def copied(stage: str) -> set[str]:
    """The paths of the repository that a stage copies."""
    found: set[str] = set()
    for text in of(stage, "COPY"):
        if not text.startswith("--from"):
            found.update(path.rstrip("/") for path in text.split()[:-1])
    return found


@pytest.mark.parametrize("stage", ["wheel", "job", "function"])
def test_whatever_is_copied_exists(stage: str) -> None:
    assert copied(stage)
    assert [path for path in copied(stage) if not (ROOT / path).exists()] == []


def test_the_build_sees_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {line.removeprefix("!") for line in rules if line.startswith("!")}
    # The folder has to be let in for its files to be, and then everything else in it kept out.
    assert "requirements/*" in rules[rules.index("!requirements") :]
    assert let_in - {"requirements"} == copied("wheel") | copied("job") | copied("function")
    assert {"**/__pycache__", "**/*.pyc", "**/.env"} <= set(rules)


def test_both_images_hold_the_same_project() -> None:
    assert copied("job") == copied("function")
    for stage in ("job", "function"):
        assert any("pgmigrations manifest" in text for text in of(stage, "RUN"))


def test_nothing_is_installed_but_what_a_lock_names() -> None:
    commands = [one.text for one in instructions() if one.name == "RUN"]
    installs = re.findall(r"pip (?:install|wheel) [^&]*", " && ".join(commands))
    assert len(installs) == 6
    assert all(("--require-hashes" in one) != ("--no-index" in one) for one in installs)


def test_other_stages_that_are_named_come_before() -> None:
    stages: list[str] = []
    for one in instructions():
        if one.name == "FROM":
            stages.append(one.stage)
        for name in re.findall(r"(?:--from|,from)=(\w+)", one.text):
            assert name in stages[:-1]
    assert stages == ["wheel", "bundle", "job", "function"]


def test_the_job_deploys_as_a_user_without_rights() -> None:
    assert of("job", "USER") == ["10001"]
    assert of("job", "ENTRYPOINT") == ['["pgmigrations"]']
    assert of("job", "CMD") == ['["deploy"]']


def test_the_function_is_the_default_and_names_the_handler() -> None:
    assert instructions()[-1].stage == "function"
    assert of("function", "CMD") == ['["pgmigrations.aws.handler.handler"]']
    assert of("function", "FROM") == ["public.ecr.aws/lambda/python:${PYTHON} AS function"]


def test_the_certificates_can_be_read_by_any_user() -> None:
    # What ADD fetches is 0600 otherwise, and neither image runs as root.
    (text,) = of("bundle", "ADD")
    assert text.startswith("--chmod=644 https://")
    for stage in ("job", "function"):
        assert any("PGSSLROOTCERT=" in text for text in of(stage, "ENV"))


@pytest.mark.cdk
def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [str(linter), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)
