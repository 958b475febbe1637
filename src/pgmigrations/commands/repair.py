"""`pgmigrations repair`: accept the changed code of an applied revision."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config

from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.commands.status import states_of
from pgmigrations.run.checksum import checksum
from pgmigrations.run.ledger import Entry, Status


def repair(config: Config) -> None:
    """Write the checksums of changed revisions into the ledger, with a row that says so.

    Args:
        config: Alembic's configuration of the project.
    """

    def accept(project: OpenProject) -> None:
        changed = {one.revision for one in states_of(project) if one.is_changed}
        for script in project.revisions():
            if script.revision in changed:
                path = Path(script.path)
                code = checksum(path.read_text(encoding="utf-8"))
                entry = Entry(script.revision, Status.REPAIRED, path.stem, checksum=code)
                project.ledger.add(project.driver, entry)
                print(f"Accepted as it is now: {script.revision}")
        project.driver.commit()
        if not changed:
            print("Nothing to accept: the applied revisions are as they were")

    with_project(config, accept, writes=True)
