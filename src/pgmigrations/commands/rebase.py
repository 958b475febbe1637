"""`pgmigrations rebase`: put one of two branches behind the other, and prove it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import RevisionStep

from pgmigrations.commands.pending import pending
from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.commands.status import states_of
from pgmigrations.migrate.branch import Branch, branch_to_move, parents_of
from pgmigrations.migrate.core.alembic_private import is_recursive, version_locations
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.core.proof import ProofFailed
from pgmigrations.migrate.core.recording import BY_HAND
from pgmigrations.migrate.core.revision_edit import Renamed, rename_files
from pgmigrations.migrate.core.revision_file import read_revision_files
from pgmigrations.migrate.core.revision_name import next_revision_id
from pgmigrations.migrate.core.snapshot import Snapshot
from pgmigrations.migrate.manifest import renew_manifest
from pgmigrations.migrate.steps import REBASING
from pgmigrations.migrate.trial import Trial, trial
from pgmigrations.run.ledger import APPLIED, SETTLED
from pgmigrations.settings import Settings


def rebase(
    config: Config, *, revision: str | None = None, tell: Callable[[str], None] = print
) -> list[Renamed]:
    """Renumber the branch that is not applied, let it follow the other, and prove it.

    The database is only read.

    Args:
        config: Alembic's configuration of the project.
        revision: One of the branch's revisions; by default the branch of which nothing is applied.
        tell: Called with what a person wants to know, a line each.

    Returns:
        What has become of each file.

    Raises:
        CommandError: There is nothing to rebase, or it cannot be done: no file has changed. Or the
            proof failed: the files stay as they are then.
    """
    config.attributes[REBASING] = True
    try:
        files = with_project(config, lambda project: _planned(project, revision))
    finally:
        del config.attributes[REBASING]
    for file in files:
        renamed = file.path.name
        if file.new_path != file.path:
            renamed += f" is now {file.new_path.name}, and"
        tell(f"{renamed} follows {file.new_parent}")
    renew_manifest(config)
    names = {one.new_revision for one in files}
    with_project(config, lambda project: _prove(project, names, tell))
    return files


def _planned(project: OpenProject, asked: str | None) -> list[Renamed]:
    """Choose the branch, and rename its files."""
    settings = settings_of(project.context)
    assert settings is not None
    branch = branch_to_move(project.directory, _applied(project), asked)
    # What cannot be proved in the end shall fail before anything is changed.
    pending(project, "heads")
    files = renamed_files(project, branch, settings)
    rename_files(files)
    return files


def _applied(project: OpenProject) -> set[str]:
    """Return what is applied, wholly or in part, by the version rows or by the ledger."""
    by_rows = {one.revision for one in states_of(project) if one.state in ("applied", "half done")}
    rows = project.latest(SETTLED).items()
    return by_rows | {revision for revision, row in rows if row.status in APPLIED}


def renamed_files(project: OpenProject, branch: Branch, settings: Settings) -> list[Renamed]:
    """Say what becomes of each file of a branch.

    A number that is above all others stays; a name without a number does, too.

    Args:
        project: Whose files they are.
        branch: The branch, with what it is to follow.
        settings: Say how revisions are named.
    """
    moved = {script.revision for script in branch.scripts}
    folders = version_locations(project.directory)
    found = read_revision_files(
        folders, recursive=is_recursive(project.directory), unique_numbers=False
    )
    others = [file for file in found if file.revision not in moved]
    own = {file.revision: file for file in found}
    highest = max((file.number for file in others if file.number is not None), default=-1)
    taken: list[str] = []
    parent = branch.onto
    files: list[Renamed] = []
    for script in branch.scripts:
        file = own[script.revision]
        stem = file.path.stem
        if file.number is not None:
            if file.number <= highest:
                number = next_revision_id(settings, None, others, taken).partition("_")[0]
                stem = f"{number}{stem[len(stem.partition('_')[0]) :]}"
            taken.append(stem)
            highest = int(stem.partition("_")[0])
        revision = stem if file.revision == file.path.stem else file.revision
        old_parent = next(iter(parents_of(script)), None)
        path = Path(script.path)
        files.append(
            Renamed(path, path.with_name(f"{stem}.py"), file.revision, revision, old_parent, parent)
        )
        parent = revision
    return files


def _prove(project: OpenProject, names: Set[str], tell: Callable[[str], None]) -> None:
    """Run what is pending on a copy; what was renamed twice, and back.

    What is written by hand need not be repeatable, since it is run in one transaction.
    """
    settings = settings_of(project.context)
    assert settings is not None
    steps = pending(project, "heads")
    if not settings.prove or not names <= {str(step.revision.revision) for step in steps}:
        why = "the database shows it already" if settings.prove else "prove = false"
        tell(f"Not proved: {why}")
        return
    starts: list[tuple[RevisionStep, Snapshot[Any]]] = []
    with trial(project.context) as on_copy:
        for step in steps:
            name = str(step.revision.revision)
            if name not in names:
                on_copy.run(step.migration_fn, f"in revision {name}")
                continue
            starts.append((step, on_copy.state()))
            sent = on_copy.run(step.migration_fn, f"in revision {name}")
            if any(one.operation == BY_HAND for one in sent):
                tell(f"{name} has SQL written by hand: it is not run a second time")
            else:
                _repeated(on_copy, step, name)
        _downgraded(on_copy, starts)
    tell("Proved on a copy: the upgrade runs, and the downgrade leads back")


def _repeated(on_copy: Trial, step: RevisionStep, name: str) -> None:
    before = on_copy.state()
    on_copy.run(step.migration_fn, f"in the second run of revision {name}")
    _refuse(
        f"Run a second time, {name} changes something",
        on_copy.differences(before, on_copy.state()),
    )


def _downgraded(on_copy: Trial, starts: Sequence[tuple[RevisionStep, Snapshot[Any]]]) -> None:
    for step, start in reversed(starts):
        name = str(step.revision.revision)
        on_copy.run(step.revision.module.downgrade, f"in the downgrade of revision {name}")
        _refuse(
            f"The downgrade of {name} does not lead back",
            on_copy.differences(on_copy.state(), start),
        )


def _refuse(what: str, left: Sequence[str]) -> None:
    if left:
        raise ProofFailed(what, left)
