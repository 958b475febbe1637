"""What a step is called, and what it leaves in the ledger."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationStep, RevisionStep, StampStep

from pgmigrations.run.checksum import checksum
from pgmigrations.run.ledger import Direction, Entry, Status


def direction_of(step: MigrationStep) -> Direction | None:
    """Say which way a step goes; a stamp goes none."""
    if isinstance(step, StampStep):
        return None
    return Direction.UPGRADE if step.is_upgrade else Direction.DOWNGRADE


def revision_of(step: MigrationStep) -> str:
    """Name the revision of a step."""
    if isinstance(step, RevisionStep):
        return str(step.revision.revision)
    return ",".join((*step.to_revisions_no_deps, *step.from_revisions_no_deps)[:1])


def label_of(step: MigrationStep) -> str:
    """Name a step in messages."""
    if isinstance(step, RevisionStep):
        return f"{'' if step.is_upgrade else 'the downgrade of '}{step.revision.revision}"
    return "the stamp"


def entries(step: MigrationStep, duration: float | None = None) -> list[Entry]:
    """Return the rows that a finished step leaves in the ledger."""
    if isinstance(step, RevisionStep):
        is_run = getattr(step.migration_fn, "is_run", True)
        status = Status.APPLIED if step.is_upgrade else Status.REVERTED
        if not is_run:
            status = Status.STAMPED
        return [entry_of(step, revision_of(step), status, duration=duration)]
    arrived = [one for one in step.to_revisions_no_deps if one not in step.from_revisions_no_deps]
    if step.is_upgrade:
        return [entry_of(step, one, Status.STAMPED) for one in arrived]
    left = [one for one in step.from_revisions_no_deps if one not in step.to_revisions_no_deps]
    return [entry_of(step, one, Status.UNSTAMPED) for one in left]


def entry_of(step: MigrationStep, revision: str, status: Status, **values: Any) -> Entry:
    """Make a row of a step, with the checksum of its file."""
    name, code = revision, None
    if isinstance(step, RevisionStep):
        path = Path(step.revision.path)
        name = path.stem
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            code = checksum(path.read_text(encoding="utf-8"))
    return Entry(revision, status, name, direction_of(step), checksum=code, **values)
