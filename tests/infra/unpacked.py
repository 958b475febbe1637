"""The two zips where Lambda unpacks them, and a bare interpreter that sees nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.package_lambda import Archive


class Unpacked:
    """A function as Lambda would have it.

    Args:
        folder: Holds `task`, the function, and `opt`, the layer.
        layer: The layer's zip.
        python: The interpreter.
    """

    def __init__(self, folder: Path, layer: Archive, python: str) -> None:
        self.task = folder / "task"
        self.opt = folder / "opt"
        self.layer = layer
        self.python = python

    def words(self, code: str) -> list[str]:
        """The command that runs code; -S: not even what the interpreter has installed is seen."""
        return [self.python, "-S", "-c", code]

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a function, its folder first on the path."""
        return {
            "PATH": os.defpath,
            "PYTHONPATH": f"{self.task}{os.pathsep}{self.opt / 'python'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(self.task),
            "PGMIGRATIONS_INI": str(self.task / "alembic.ini"),
            "AWS_REGION": "ca-central-1",
            "DB_USER_SECRET_NAME": f"file:{self.opt.parent / 'app_rw.env'}",
            "DB_TABLE_CREATOR_SECRET_NAME": f"file:{self.opt.parent / 'app_tc.env'}",
            **more,
        }

    def run(self, code: str, **environment: str) -> str:
        """Run code in the function's folder and return what it prints."""
        done = subprocess.run(
            self.words(code),
            cwd=self.task,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *arguments: str, **environment: str) -> str:
        """Run the command line with arguments."""
        code = f"import sys; from pgmigrations.cli import main; sys.exit(main({list(arguments)}))"
        return self.run(code, **environment)
