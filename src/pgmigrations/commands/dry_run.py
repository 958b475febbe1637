"""`pgmigrations dry-run`: the pending revisions, run on a copy of the database's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alembic.config import Config

from pgmigrations.commands.pending import pending
from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.migrate.core.recording import Sent
from pgmigrations.migrate.trial import TrialFailed, trial

FAILED = 1
"""Exit code where a revision does not run."""


@dataclass(frozen=True)
class Tried:
    """A revision that was run on the copy.

    Attributes:
        revision: Its id.
        statements: What it has sent.
        error: Why it does not run.
    """

    revision: str
    statements: Sequence[Sent]
    error: str | None = None


def dry_run(config: Config, *, revision: str = "head", as_json: bool = False) -> int:
    """Run what is pending on a copy of the database's schema, and print what it sends.

    Nothing is written to the database, and nothing in it is locked but as any reader does: it is
    read in a READ ONLY transaction that is over when the revisions run. The copy holds no rows.

    Args:
        config: Alembic's configuration of the project.
        revision: Up to which one, as for `alembic upgrade`.
        as_json: Print JSON.

    Returns:
        0 where all run, 1 where one does not; those after it are not tried.

    Raises:
        CommandError: There is no copy to run them on, or one of them is half done already.
    """
    tried = tried_on_copy(config, revision)
    if as_json:
        print(json.dumps([asdict(one) for one in tried], indent=2, ensure_ascii=False))
    else:
        for line in _page(tried):
            print(line)
    return FAILED if any(one.error for one in tried) else 0


def tried_on_copy(config: Config, revision: str) -> list[Tried]:
    """Run what is pending on a copy; after one that does not run, there is none."""
    return with_project(config, lambda project: list(_tried(project, revision)))


def _tried(project: OpenProject, revision: str) -> Iterator[Tried]:
    steps = pending(project, revision)
    if not steps:
        return
    with trial(project.context) as on_copy:
        for step in steps:
            name = str(step.revision.revision)
            try:
                sent = on_copy.run(step.migration_fn, f"in revision {name}")
            except TrialFailed as failure:
                yield Tried(name, failure.sent, str(failure))
                return
            yield Tried(name, sent)


def _page(tried: Sequence[Tried]) -> Iterator[str]:
    if not tried:
        yield "Nothing is pending"
    for one in tried:
        yield one.revision
        if not one.statements and not one.error:
            yield "  sends nothing"
        for sent in one.statements:
            yield f"  {_heading(sent)}"
            for line in sent.sql.splitlines():
                yield f"      {line}"
        if one.error:
            yield f"  FAILED: {one.error}"
    if tried and not any(one.error for one in tried):
        count = sum(len(one.statements) for one in tried)
        yield f"{len(tried)} pending, {count} statements; all run on a copy without rows"


def _heading(sent: Sent) -> str:
    parts: list[Any] = [" ".join(one for one in (sent.operation, sent.subject) if one)]
    parts += [f"{mode} on {relation}" for relation, mode in sent.locks.items()]
    if sent.failed:
        parts.append("FAILS")
    if not sent.in_transaction:
        parts.append("outside of a transaction")
    return "; ".join(parts)
