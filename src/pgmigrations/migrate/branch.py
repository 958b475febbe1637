"""Which of a history's branches may be put behind another, and whether it can be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alembic.script import Script, ScriptDirectory
from alembic.util import to_tuple

from pgmigrations.errors import PgMigrationsError


class RebaseRefused(PgMigrationsError):
    """The branches are left as they are."""


@dataclass(frozen=True)
class Branch:
    """What one head has and no other.

    Attributes:
        scripts: Its revisions, the first one first.
        onto: The head that it is to follow.
    """

    scripts: Sequence[Script]
    onto: str


def branch_to_move(
    directory: ScriptDirectory, applied: Collection[str], asked: str | None
) -> Branch:
    """Find the branch that is to follow the other.

    Args:
        directory: The project's revision files.
        applied: The revisions that the database has, or has a part of.
        asked: One of the branch's revisions; by default the branch of which nothing is applied.

    Raises:
        RebaseRefused: There is none, it is not clear which, or it cannot be moved.
    """
    heads = sorted(directory.get_heads())
    if len(heads) < 2:
        raise RebaseRefused(f"There is nothing to rebase: the only head is {', '.join(heads)}")
    own = {head: list(_own(directory, head, heads)) for head in heads}
    head = _named(directory, own, asked) if asked else _unapplied(own, applied)
    onto = _onto([one for one in heads if one != head], applied)
    _refuse_unmovable(directory, own[head], applied)
    return Branch(own[head], onto)


def parents_of(script: Script) -> tuple[str, ...]:
    """Return the revisions that a revision follows."""
    return tuple(to_tuple(script.down_revision, default=()))


def _own(directory: ScriptDirectory, head: str, heads: Sequence[str]) -> Iterator[Script]:
    """Yield what only this head follows, the first one first."""
    others = {
        script.revision for other in heads if other != head for script in _line(directory, other)
    }
    yield from reversed([one for one in _line(directory, head) if one.revision not in others])


def _line(directory: ScriptDirectory, head: str) -> Iterator[Script]:
    """Yield a head and all that it follows, each after those that follow it."""
    followed = {head}
    for script in directory.walk_revisions():
        if script.revision in followed:
            followed |= {*parents_of(script)}
            yield script


def _named(directory: ScriptDirectory, own: Mapping[str, Sequence[Script]], asked: str) -> str:
    found = directory.get_revision(asked)
    for head, scripts in own.items():
        if found in scripts:
            return head
    raise RebaseRefused(
        f"{getattr(found, 'revision', asked)} is on no branch of its own",
        f"The branches end in {', '.join(own)}: name one",
    )


def _unapplied(own: Mapping[str, Sequence[Script]], applied: Collection[str]) -> str:
    movable = [
        head for head, scripts in own.items() if not any(one.revision in applied for one in scripts)
    ]
    if len(movable) == 1:
        return movable[0]
    if not movable:
        raise RebaseRefused(
            f"Each of {' and '.join(own)} is applied, at least in part",
            "Join them: alembic merge heads",
        )
    raise RebaseRefused(
        f"None of {' and '.join(movable)} is applied here, so either could follow",
        f"Name the one that is to be renumbered: pgmigrations rebase {movable[-1]}",
    )


def _onto(others: Sequence[str], applied: Collection[str]) -> str:
    chosen = [one for one in others if one in applied] if len(others) > 1 else others
    if len(chosen) != 1:
        raise RebaseRefused(
            f"There are {len(others)} other heads, and it is not clear which one to follow: "
            f"{', '.join(others)}",
            "Upgrade the database to the one, or join them first: alembic merge",
        )
    return chosen[0]


def _refuse_unmovable(
    directory: ScriptDirectory, scripts: Sequence[Script], applied: Collection[str]
) -> None:
    moved = {one.revision for one in scripts}
    for one in scripts:
        if one.revision in applied:
            raise RebaseRefused(
                f"{one.revision} is applied to this database, so its name stays",
                "Rebase the other branch, or join them: alembic merge heads",
            )
        if len(parents_of(one)) > 1:
            raise RebaseRefused(
                f"{one.revision} joins two branches, and cannot be put behind another",
                "Join the heads: alembic merge heads",
            )
        if getattr(one.module, "branch_labels", None):
            raise RebaseRefused(
                f"{one.revision} has branch_labels: its branch is meant to stay one",
                "Take the label away first, or join the heads: alembic merge heads",
            )
    for other in directory.walk_revisions():
        for name in to_tuple(other.dependencies, default=()):
            needed = directory.get_revision(name)
            if needed.revision in moved:
                raise RebaseRefused(
                    f"{other.revision} depends on {needed.revision} (depends_on), whose name would "
                    "change",
                    "Join the heads: alembic merge heads",
                )
