"""The set-up script chooses an interpreter by running it, and says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FAILING = "exit 127"
OLD = "exit 1"
# Runs, and says that it is Python 3.13, but has no ensurepip.
WITHOUT_ENSUREPIP = """case "$2" in
    *ensurepip*) exit 1 ;;
    *python_version*) echo 3.13.9 ;;
esac"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the set-up script reads, in a folder with a space in its name."""
    project = tmp_path / "my project"
    for name in ("scripts/setup.sh", "requirements/dev.txt", "pyproject.toml"):
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (project / "bin").mkdir()
    return project


def set_up(project: Path, *, python: str = "", **commands: str) -> subprocess.CompletedProcess[str]:
    """Run the script with commands of these names (`_` for `.`) first on PATH."""
    for name, body in commands.items():
        command = project / "bin" / name.replace("_", ".")
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
    return subprocess.run(
        ["sh", project / "scripts" / "setup.sh"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{project / 'bin'}{os.pathsep}{os.defpath}", "PYTHON": python},
    )


def test_a_command_that_only_fails_is_passed_over(project: Path) -> None:
    done = set_up(project, python3=FAILING, python3_13=WITHOUT_ENSUREPIP)
    assert "Python 3.13.9 (python3.13) cannot make" in done.stderr


def test_a_python_without_ensurepip_is_answered_with_the_package_to_install(project: Path) -> None:
    done = set_up(project, python3=WITHOUT_ENSUREPIP)
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (project / ".venv").exists()


def test_an_interpreter_that_was_asked_for_is_not_replaced_by_another(project: Path) -> None:
    done = set_up(project, python=str(project / "bin" / "mine"), mine=OLD)
    assert done.returncode == 1
    assert "mine is no Python 3.11 or newer that runs" in done.stderr


def test_nothing_is_done_when_the_lock_and_the_folder_are_as_they_were(project: Path) -> None:
    interpreter = project / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to("/bin/true")
    wanted = subprocess.run(
        ["sh", "-c", "cksum pyproject.toml requirements/dev.txt; pwd; echo"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    (project / ".venv" / ".installed").write_text(wanted.stdout)
    done = set_up(project, python3=FAILING)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (project / "pyproject.toml").write_text("# changed\n")
    assert set_up(project, python3=WITHOUT_ENSUREPIP).returncode == 1
