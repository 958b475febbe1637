"""A real node-pg-migrate, from the package registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import make_url

PACKAGES = ("node-pg-migrate@9.0.0", "pg@8")


def install(folder: Path) -> None:
    """Install it into a folder; the test is skipped where that is not possible."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node here")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    done = subprocess.run(
        [*command, *PACKAGES], cwd=folder, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        pytest.skip(f"npm cannot install node-pg-migrate: {done.stderr.strip()[-200:]}")


def write(folder: Path, migrations: Mapping[str, str]) -> None:
    """Write migration files.

    Args:
        folder: Where it is installed.
        migrations: What each does with `pgm`, as JavaScript, by its file's name.
    """
    (folder / "migrations").mkdir()
    for name, work in migrations.items():
        text = f"exports.up = (pgm) => {{ {work}; }};\nexports.down = false;\n"
        (folder / "migrations" / name).write_text(text)


def run_node(folder: Path, database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it on the migrations of a folder."""
    url = make_url(database_url)
    environ = os.environ | {
        "PGHOST": str(url.query.get("host", url.host)),
        "PGPORT": str(url.query.get("port", url.port)),
        "PGUSER": str(url.username or "postgres"),
        "PGDATABASE": str(url.database),
        "PGPASSWORD": url.password or "",
    }
    binary = folder / "node_modules" / ".bin" / "node-pg-migrate"
    return subprocess.run(
        [str(binary), *arguments, "--migrations-dir", "migrations"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
