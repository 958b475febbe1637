"""The shell lines of the how-tos run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deployment import Stage
from tests.support.project import REPOSITORY

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["deploy-container.md", "rotate-secrets.md"])
def test_shell_lines_run_and_print_what_they_say(tmp_path: Path, made: Stage, page: str) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    text = (REPOSITORY / "docs" / "how-to" / page).read_text()
    blocks = _BLOCK.findall(text)
    assert blocks
    for block in blocks:
        lines = block.splitlines()
        commands = "\n".join(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=project.path,
            env=os.environ
            | made.environ()
            | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        said = [line for line in lines if not line.startswith("$ ")]
        assert done.stdout.splitlines()[len(done.stdout.splitlines()) - len(said) :] == said
