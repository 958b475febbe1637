"""`pgmigrations repair`: accept the changed code of an applied revision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic.config import Config
from alembic.util import CommandError

from pgmigrations.commands.project import OpenProject, agreed, with_project
from pgmigrations.commands.status import states_of
from pgmigrations.run.checksum import checksum
from pgmigrations.run.ledger import Entry, Status


def repair(
    config: Config,
    *,
    revision: str | None = None,
    yes: bool = False,
    tell: Callable[[str], None] = print,
) -> list[str]:
    """Write the checksums of changed revisions into the ledger, with a row that says so.

    Args:
        config: Alembic's configuration of the project.
        revision: The one to accept; by default every one that has changed.
        yes: Do not ask.
        tell: Called with what a person wants to know, a line each.

    Returns:
        The revisions that were accepted.

    Raises:
        CommandError: That revision has not changed, or nobody was there to answer.
    """

    def accept(project: OpenProject) -> list[str]:
        changed = {one.revision for one in states_of(project) if one.is_changed}
        if revision is not None:
            if revision not in changed:
                raise CommandError(f"{revision} is not applied, or has not changed since")
            changed = {revision}
        for one in sorted(changed):
            tell(f"Changed since it was applied: {one}")
        if changed and not yes and not agreed("Accept it as it is now?"):
            raise CommandError("Nothing was accepted. To accept it without a question: --yes")
        for script in project.revisions():
            if script.revision in changed:
                path = Path(script.path)
                code = checksum(path.read_text(encoding="utf-8"))
                entry = Entry(script.revision, Status.REPAIRED, path.stem, checksum=code)
                project.ledger.add(project.driver, entry)
                tell(f"Accepted as it is now: {script.revision}")
        project.driver.commit()
        if not changed:
            tell("Nothing to accept: the applied revisions are as they were")
        return sorted(changed)

    return with_project(config, accept, writes=True)
