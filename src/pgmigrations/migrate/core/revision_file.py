"""The revision files of a project, read without running them."""

from __future__ import annotations

import ast
import contextlib
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.impl import VERSION_LENGTH

_ID = re.compile(r"[0-9A-Za-z_]+")


class RevisionFileError(PgMigrationsError):
    """A revision file that cannot be used; found before any connection is made."""

    def __init__(self, what: str, hint: str, *paths: Path) -> None:
        super().__init__(what, hint)
        self.paths = paths


@dataclass(frozen=True)
class RevisionFile:
    """What a revision file says of itself."""

    path: Path
    revision: str
    parents: tuple[str, ...]

    @property
    def number(self) -> int | None:
        """The number or timestamp that its name begins with."""
        digits = self.path.stem.partition("_")[0]
        return int(digits) if digits.isascii() and digits.isdigit() else None


def read_revision_files(
    folders: Iterable[Path], *, recursive: bool = False, unique_numbers: bool = True
) -> list[RevisionFile]:
    """Read and check every revision of a project, out of the files that Alembic reads.

    Args:
        folders: Those of `version_locations`.
        recursive: Whether their subfolders count, as `recursive_version_locations` says.
        unique_numbers: Whether two files may not have one number.

    Raises:
        RevisionFileError: A file does not parse or has no usable revision id, two files have one
            id, number or timestamp, or a parent is missing.
    """
    files = [
        _read(path)
        for folder in folders
        for path in sorted(folder.rglob("*.py") if recursive else folder.glob("*.py"))
        if path.name != "__init__.py" and not path.name.startswith(".#") and not path.is_dir()
    ]
    _refuse_same_ids(files)
    if unique_numbers:
        _refuse_same_numbers(files)
    _refuse_missing_parents(files)
    return files


def _read(path: Path) -> RevisionFile:
    try:
        with tokenize.open(path) as source:
            tree = ast.parse(source.read(), filename=str(path))
    except SyntaxError as error:
        place = f" (line {error.lineno})" if error.lineno else ""
        raise RevisionFileError(
            f"{path.name}{place} is not valid Python: {error.msg}", "Mend the file", path
        ) from None
    except ValueError as error:
        raise RevisionFileError(
            f"{path.name} cannot be read: {error}", "Save it as UTF-8", path
        ) from None
    except OSError as error:
        raise RevisionFileError(
            f"{path.name} cannot be read: {error.strerror}",
            "Make it a readable file, or remove it",
            path,
        ) from None
    values = dict(_assignments(tree))
    revision = _checked_id(values.get("revision"), path.name, path)
    return RevisionFile(path, revision, _parents(values.get("down_revision")))


def refuse_unusable_id(revision: str, files: Sequence[RevisionFile]) -> None:
    """Refuse an id whose file every later command would refuse.

    Args:
        revision: The id of a new revision, which is its file's stem, too.
        files: The revisions that there are.

    Raises:
        RevisionFileError: It has other characters than ASCII letters, digits and underscores, is
            too long, or is, or begins with the number of, another revision's.
    """
    _checked_id(revision, "--rev-id")
    with_it = [*files, RevisionFile(Path(f"{revision}.py"), revision, ())]
    _refuse_same_ids(with_it)
    _refuse_same_numbers(with_it)


def _checked_id(revision: object, place: str, *paths: Path) -> str:
    if not isinstance(revision, str) or not _ID.fullmatch(revision):
        raise RevisionFileError(
            f"{place} has no usable revision id: {revision!r}",
            "Use letters, digits and underscores of ASCII, as in 003_add_favorites",
            *paths,
        )
    if len(revision) > VERSION_LENGTH:
        raise RevisionFileError(
            f"The revision id in {place} has {len(revision)} characters",
            f"{VERSION_LENGTH} fit into the version table",
            *paths,
        )
    return revision


def _assignments(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for name, value in assigned(tree):
        with contextlib.suppress(ValueError):
            yield name, ast.literal_eval(value)


def assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a file assigns to `revision` and to `down_revision`."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _assigned(node.target, node.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its_value in zip(target.elts, value.elts, strict=False):
            yield from _assigned(one, its_value)
    elif isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
        yield target.id, value


def _parents(down_revision: object) -> tuple[str, ...]:
    if isinstance(down_revision, str):
        return (down_revision,)
    if isinstance(down_revision, (tuple, list)):
        return tuple(parent for parent in down_revision if isinstance(parent, str))
    return ()


def _refuse_same_ids(files: Sequence[RevisionFile]) -> None:
    by_id: dict[str, RevisionFile] = {}
    for file in files:
        other = by_id.setdefault(file.revision, file)
        if other is not file:
            raise RevisionFileError(
                f"{_both(other, file)} have the same revision id {file.revision}",
                "Give one of them another",
                other.path,
                file.path,
            )


def _refuse_same_numbers(files: Sequence[RevisionFile]) -> None:
    """Refuse what two people have made at once, until a revision joins the two."""
    by_number: dict[int, RevisionFile] = {}
    for file in files:
        if file.number is None:
            continue
        other = by_number.setdefault(file.number, file)
        if other is not file and not _are_joined(files, other, file):
            raise RevisionFileError(
                f"{_both(other, file)} have the same number",
                "Give the one that is not applied anywhere yet the next number, and let it follow "
                "the other: pgmigrations rebase does both where they are two heads. Where both are "
                "applied, join them: alembic merge heads",
                other.path,
                file.path,
            )


def _are_joined(files: Sequence[RevisionFile], one: RevisionFile, other: RevisionFile) -> bool:
    parents = {file.revision: file.parents for file in files}
    for file in files:
        if len(file.parents) < 2:
            continue
        followed: set[str] = set()
        left = list(file.parents)
        while left:
            revision = left.pop()
            if revision not in followed:
                followed.add(revision)
                left += parents.get(revision, ())
        if {one.revision, other.revision} <= followed:
            return True
    return False


def _both(one: RevisionFile, other: RevisionFile) -> str:
    """Name two files, by as much of their paths as tells them apart."""
    first, second = one.path, other.path
    if first.name != second.name:
        return f"{first.name} and {second.name}"
    length = 2
    while first.parts[-length:] == second.parts[-length:] and length < len(first.parts):
        length += 1
    return " and ".join(str(Path(*path.parts[-length:])) for path in (first, second))


def _refuse_missing_parents(files: Sequence[RevisionFile]) -> None:
    known = {file.revision for file in files}
    for file in files:
        for parent in file.parents:
            if parent not in known:
                raise RevisionFileError(
                    f"{file.path.name} follows {parent}, and there is no {parent}.py",
                    "Bring that file back, or correct down_revision",
                    file.path,
                    file.path.with_name(f"{parent}.py"),
                )
