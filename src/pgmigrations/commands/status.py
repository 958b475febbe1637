"""`pgmigrations status`: what is applied, what is pending, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from alembic.config import Config
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.migrate.changed import has_changed
from pgmigrations.run.ledger import APPLIED, SETTLED, Row, Status

NOT_CLEAN = 3
"""Exit code where something is to be done; 1 is Python's own for a failure."""
_COLOURS = {"applied": "green", "pending": "yellow", "ahead": "cyan"}


@dataclass(frozen=True)
class RevisionState:
    """One revision.

    Attributes:
        revision: Its id.
        state: applied, pending, failed, half done, ahead (applied, and there is no file), or
            unknown (the database says that it is there).
        is_changed: Whether its code is another one than was applied.
        when: When the last thing happened to it, in the server's time zone.
        seconds: How long that took.
        by: Role and machine.
        error: The first line of what went wrong.
    """

    revision: str
    state: str
    is_changed: bool = False
    when: str | None = None
    seconds: float | None = None
    by: str | None = None
    error: str | None = None


def status(config: Config, *, as_json: bool = False) -> int:
    """Print the state of every revision.

    Reads only, in a READ ONLY transaction, so that it works on a replica, too.

    Args:
        config: Alembic's configuration of the project.
        as_json: Print JSON.

    Returns:
        0 where all is applied as the files are; 3 where something is pending, failed, half done,
        changed or unknown.
    """
    found = states(config)
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        Console().print(_page(found))
    is_clean = all(one.state in ("applied", "ahead") and not one.is_changed for one in found)
    return 0 if is_clean else NOT_CLEAN


def states(config: Config) -> list[RevisionState]:
    """Say of each revision of a project how it stands in its database."""
    return with_project(config, lambda project: list(states_of(project)))


def states_of(project: OpenProject) -> Iterator[RevisionState]:
    """Say of each revision how it stands: those of the files in order, then those without one."""
    latest, settled = project.latest(), project.latest(SETTLED)
    applied = _applied(project, settled)
    files = project.revisions()
    for script in files:
        row = latest.get(script.revision)
        is_applied = script.revision in applied
        is_changed = is_applied and has_changed(script, settled.get(script.revision))
        yield _state(script.revision, _word(row, is_applied), row, is_changed)
    known = {script.revision for script in files}
    for head in sorted(project.heads):
        if head not in known and head not in applied:
            yield RevisionState(head, "unknown", error="Neither a file nor the ledger has it")
    for revision, row in sorted(settled.items(), key=lambda one: one[1].id):
        if revision not in known and row.status in APPLIED - {Status.ADOPTED}:
            yield _state(revision, "ahead", row, False)


def _applied(project: OpenProject, settled: dict[str, Row]) -> set[str]:
    applied: set[str] = set()
    for head in project.heads:
        try:
            found = project.directory.iterate_revisions(head, "base", implicit_base=True)
            applied |= {script.revision for script in found}
        except (CommandError, RevisionError):
            # The database is ahead of the files; the ledger knows what it went through.
            applied |= {name for name, row in settled.items() if row.status in APPLIED}
    return applied


def _word(row: Row | None, is_applied: bool) -> str:
    if row is not None and row.progress is not None:
        return "half done"
    if is_applied:
        return "applied"
    return "failed" if row is not None and row.status == Status.FAILED else "pending"


def _state(revision: str, word: str, row: Row | None, is_changed: bool) -> RevisionState:
    if row is None or (word == "pending" and row.status != Status.REVERTED):
        return RevisionState(revision, word, is_changed)
    by = " at ".join(one for one in (row.db_user, row.host) if one)
    when = row.run_on.isoformat(sep=" ", timespec="seconds")
    return RevisionState(revision, word, is_changed, when, row.duration, by or None, row.error)


def _page(states: list[RevisionState]) -> Table:
    unknown, ahead = (sum(one.state == word for one in states) for word in ("unknown", "ahead"))
    pending = sum(one.state not in ("applied", "ahead", "unknown") for one in states)
    title = f"{pending} pending" if pending or unknown else "all applied"
    title += f"; the database is at {unknown} that nobody knows" if unknown else ""
    title += f"; the database is ahead by {ahead}" if ahead else ""
    table = Table(title=title, title_justify="left", title_style="bold cyan", box=box.SIMPLE_HEAD)
    for heading in ("", "revision", "when", "took", "by", ""):
        table.add_column(heading)
    for one in states:
        word = f"[{_COLOURS.get(one.state, 'red')}]{one.state}[/]"
        word += " [red](changed since)[/]" if one.is_changed else ""
        took = "" if one.seconds is None else f"{one.seconds:.1f} s"
        row = (one.revision, one.when or "", took, one.by or "", one.error or "")
        table.add_row(word, *map(escape, row))
    return table
