"""What a step is called, and what it leaves in the ledger."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import RevisionStep, StampStep
from alembic.script import Script
from alembic.script.revision import RevisionError, RevisionMap

from pgmigrations.migrate.core.alembic_private import Step
from pgmigrations.run.checksum import checksum
from pgmigrations.run.ledger import Direction, Entry, Row, Status
from pgmigrations.run.outcome import Coming

if TYPE_CHECKING:
    from psycopg2 import extensions as driver


class Stamp(StampStep):
    """All of `alembic stamp`: one step, so that it is done whole or not at all.

    Attributes:
        parts: What Alembic would do one after the other.
        had: The rows of the ledger of what the database has, by revision.
        begun: The rows of the ledger of what is half done.

    Args:
        parts: See above.
        before: The version rows before; they may name revisions that no file is of.
        after: Those after it.
        revisions: All that files are of.
        had: See above.
        begun: See above.
    """

    def __init__(
        self,
        parts: Sequence[Step],
        before: Collection[str],
        after: Collection[str],
        revisions: RevisionMap,
        had: Mapping[str, Row],
        begun: Mapping[str, Row],
    ) -> None:
        super().__init__(sorted(before), sorted(after), True, True, revisions)
        self.parts = parts
        self.had = had
        self.begun = begun


def direction_of(step: Step) -> Direction | None:
    """Say which way a step goes; a stamp goes none."""
    if isinstance(step, StampStep):
        return None
    return Direction.UPGRADE if step.is_upgrade else Direction.DOWNGRADE


def revision_of(step: Step) -> str:
    """Name the revision of a step; a stamp has none."""
    return str(step.revision.revision) if isinstance(step, RevisionStep) else ""


def coming(step: Step, connection: driver.connection) -> Coming:
    """Say what is about to begin.

    Args:
        step: The step.
        connection: The lock's.
    """
    path = str(step.revision.path) if isinstance(step, RevisionStep) else ""
    return Coming(revision_of(step), path, connection)


def label_of(step: Step) -> str:
    """Name a step in messages."""
    if isinstance(step, RevisionStep):
        return f"{'' if step.is_upgrade else 'the downgrade of '}{step.revision.revision}"
    return "the stamp"


def entries(
    step: Step,
    duration: float | None = None,
    *,
    is_run: bool = True,
    code: Callable[[], str | None] | None = None,
) -> list[Entry]:
    """Return the rows that a finished step leaves in the ledger.

    A stamp leaves one for each revision that it passes over, so that the ledger knows all that
    the database is said to have.

    Args:
        step: The step.
        duration: Seconds that it took.
        is_run: Whether its work was done here, and not found done.
        code: Gives the checksum of its file, where that is known; else the file is read.
    """
    if isinstance(step, RevisionStep):
        status = Status.APPLIED if step.is_upgrade else Status.REVERTED
        said = status if is_run else Status.STAMPED
        return [entry_of(step, said, duration=duration, code=code)]
    came, went = _history(step, step.to_revisions), _history(step, step.from_revisions)
    had, begun = (step.had, step.begun) if isinstance(step, Stamp) else ({}, {})
    targets = {*step.to_revisions} - {*step.from_revisions}
    stamped = [
        _entry(script, Status.STAMPED)
        for revision, script in came.items()
        if revision in targets or revision in begun or not (revision in went or revision in had)
    ]
    unstamped = [_entry(went[one], Status.UNSTAMPED) for one in went if one not in came]
    unstamped += [
        Entry(revision, Status.UNSTAMPED, one.name, checksum=one.checksum)
        for revision, one in {**had, **begun}.items()
        if revision not in came and revision not in went
    ]
    return stamped[::-1] + unstamped


def begin_anew(step: Step) -> None:
    """Execute a revision's module once more, so that another try finds it as the first one did.

    What it has at module level, such as an iterator, may be used up.

    Args:
        step: One whose try has failed.
    """
    module = step.revision.module if isinstance(step, RevisionStep) else None
    specification = getattr(module, "__spec__", None)
    if module is None or specification is None or specification.loader is None:
        return
    # The function that is run sees what its module has now.
    with contextlib.suppress(OSError):
        specification.loader.exec_module(module)


def checksum_of(script: Script) -> str | None:
    """Return the checksum of a revision's file; None where it cannot be read."""
    with contextlib.suppress(OSError, SyntaxError, ValueError):
        return checksum(Path(script.path).read_text(encoding="utf-8"))
    return None


def entry_of(
    step: Step, status: Status, code: Callable[[], str | None] | None = None, **values: Any
) -> Entry:
    """Make a row of a step, with the checksum of its file."""
    if isinstance(step, StampStep):
        return Entry("", status, label_of(step), **values)
    return _entry(step.revision, status, code, direction=direction_of(step), **values)


def _history(step: StampStep, revisions: Iterable[str]) -> dict[str, Any]:
    """Return revisions with all that they follow, the last first."""
    found: dict[str, Any] = {}
    assert step.revision_map is not None
    for one in revisions:
        # Those that a purge takes away may be of no file.
        with contextlib.suppress(RevisionError):
            for revision in step.revision_map.iterate_revisions(one, "base", implicit_base=True):
                found[str(revision.revision)] = revision
    return found


def _entry(
    script: Script, status: Status, code: Callable[[], str | None] | None = None, **values: Any
) -> Entry:
    known = checksum_of(script) if code is None else code()
    name = os.path.splitext(os.path.basename(script.path))[0]
    return Entry(str(script.revision), status, name, checksum=known, **values)
