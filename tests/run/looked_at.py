"""A project of which the quick look can be taken, and that tells when the long way is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.project import REPOSITORY, Project

SETTINGS = """\
from pathlib import Path

from pgmigrations.database_url import DatabaseUrl, parse_database_url


def database_url() -> DatabaseUrl:
    return parse_database_url((Path(__file__).parent / "database_url").read_text())
"""
REVISION = """\
from pathlib import Path

from pgmigrations import op

revision = {revision!r}
down_revision = {parent!r}
branch_labels = None
depends_on = {depends_on!r}
Path({read!r}).touch()


def upgrade():
    op.execute("SELECT 1")


def downgrade():
    op.execute("SELECT 1")
"""
HISTORY = """\
CREATE TABLE IF NOT EXISTS pgmigrations_history (
  id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL,
  revision varchar(255), direction text, status text NOT NULL)
"""


class LookedAt:
    """A project with revisions that do nothing, whose reading leaves a trace.

    Args:
        path: An empty folder.
        url: Its database.
        settings: Keys of `[pgmigrations]` in addition.
    """

    def __init__(self, path: Path, url: str, settings: dict[str, str] | None = None) -> None:
        given = {"database_url": "settings.py:database_url"} | (settings or {})
        self.path = path
        self.url = url
        self.ini = str(path / "alembic.ini")
        self.manifest = path / ".pgmigrations-manifest.json"
        self.project = Project(path, url, settings=given)
        self._read = path / "read"
        (path / "settings.py").write_text(SETTINGS)

    def revision(
        self,
        revision: str,
        parent: str | tuple[str, ...] | None = None,
        *,
        depends_on: str | None = None,
        folder: Path | None = None,
    ) -> Path:
        """Write a revision."""
        path = (folder or self.project.versions) / f"{revision}.py"
        path.write_text(
            REVISION.format(
                revision=revision, parent=parent, depends_on=depends_on, read=str(self._read)
            )
        )
        return path

    def revisions(self, number: int) -> list[Path]:
        """Write so many revisions in a line."""
        names = [f"{one:04}_part" for one in range(1, number + 1)]
        parents = [None, *names[:-1]]
        return [self.revision(*pair) for pair in zip(names, parents, strict=True)]

    def was_read(self) -> bool:
        """Tell whether a revision file was run since the last time that this was asked."""
        was_read = self._read.exists()
        self._read.unlink(missing_ok=True)
        return was_read

    def sql(self, *statements: str) -> None:
        """Do something to the database."""
        with create_engine(self.url, poolclass=NullPool).begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def history(self, rows: Iterable[tuple[str, str]], direction: str = "upgrade") -> None:
        """Append to the history: revision and status."""
        self.sql(
            HISTORY,
            *(
                "INSERT INTO pgmigrations_history (name, run_on, revision, direction, status)"
                f" VALUES ('{revision}', now(), '{revision}', '{direction}', '{status}')"
                for revision, status in rows
            ),
        )


def command_line(project: LookedAt, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pgmigrations` in the project's folder, as a deployment does."""
    code = "import sys; from pgmigrations.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
