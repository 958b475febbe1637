"""Giving revision files other ids and parents, and nothing else."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shutil
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgmigrations.migrate.core.revision_file import RevisionFileError, assigned


@dataclass(frozen=True)
class Renamed:
    """What becomes of a revision file.

    Attributes:
        path: The file.
        new_path: What it will be called; in the same folder.
        revision: Its id.
        new_revision: The id that it gets.
        parent: What it follows; None for nothing.
        new_parent: What it will follow.
    """

    path: Path
    new_path: Path
    revision: str
    new_revision: str
    parent: str | None
    new_parent: str

    def content(self) -> bytes:
        """Return the file with the new id and parent, else byte for byte as it is.

        They are changed in the assignments, and in the docstring's lines "Revision ID" and
        "Revises" where these say what the assignments do.

        Raises:
            RevisionFileError: It does not assign both once, as text.
        """
        content = self.path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        source = _Source(content.decode(encoding))
        tree = ast.parse(source.text)
        edits = [
            self._assignment(source, tree, "revision", self.new_revision),
            self._assignment(source, tree, "down_revision", self.new_parent),
            *self._docstring(source, tree),
        ]
        text = source.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text.encode(encoding)

    def _assignment(
        self, source: _Source, tree: ast.Module, name: str, value: str
    ) -> tuple[int, int, str]:
        nodes = [node for found, node in assigned(tree) if found == name]
        if len(nodes) != 1 or not _is_literal(nodes[0]):
            raise RevisionFileError(
                f"{self.path.name} does not assign {name} once, as text",
                f'Write it as {name} = "…"',
                self.path,
            )
        start, end = source.place(nodes[0])
        quotes = re.search(r"['\"]", source.text[start:end])
        quote = quotes[0] if quotes else '"'
        return start, end, f"{quote}{value}{quote}"

    def _docstring(self, source: _Source, tree: ast.Module) -> Iterator[tuple[int, int, str]]:
        first = tree.body[0] if tree.body else None
        if not isinstance(first, ast.Expr) or ast.get_docstring(tree, clean=False) is None:
            return
        start, end = source.place(first)
        for title, old, new in (
            ("Revision ID:", self.revision, self.new_revision),
            ("Revises:", self.parent or "", self.new_parent),
        ):
            begin, finish = r"(?:^|(?<=['\"]))[ \t]*", r"(?=[ \t]*(?:['\"\r]|$))"
            line = rf"{begin}{title}[ \t]*(?P<old>{re.escape(old)}){finish}"
            for found in re.compile(line, re.MULTILINE).finditer(source.text[:end], start):
                space = "" if found[0].removesuffix(old)[-1:].isspace() else " "
                yield found.start("old"), found.end("old"), space + new


class _Source:
    """A file's text, with the places of Python's syntax tree in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Python's own ends of lines, which are fewer than those of str.splitlines().
        self._lines = [0, *(one.end() for one in re.finditer(r"\r\n|\r|\n", text))]

    def place(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def _offset(self, line: int, column: int) -> int:
        start = self._lines[line - 1]
        # Columns count the bytes of UTF-8.
        return start + len(self.text[start : start + column].encode()[:column].decode())


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def rename_files(files: Sequence[Renamed]) -> None:
    """Write the files under their new names: all of them, or none.

    Args:
        files: What becomes of each.

    Raises:
        RevisionFileError: A name is taken, or a folder cannot be written to; all is as it was.
    """
    contents = [file.content() for file in files]
    leaving = {file.path for file in files}
    for file in files:
        if file.new_path not in leaving and file.new_path.exists():
            raise RevisionFileError(f"{file.new_path.name} is there already", "", file.new_path)
    try:
        _replace(files, contents)
    except OSError as error:
        raise RevisionFileError(
            f"The revision files cannot be written: {error.strerror or error}",
            "All are as they were",
            *leaving,
        ) from error


def _replace(files: Sequence[Renamed], contents: Sequence[bytes]) -> None:
    # Names that no reader of revisions takes for one.
    staged = {file: file.path.with_name(f".{file.new_path.name}.{os.getpid()}") for file in files}
    aside = {file: file.path.with_name(f".{file.path.name}.{os.getpid()}~") for file in files}
    moved: list[Renamed] = []
    placed: list[Renamed] = []
    try:
        for file, content in zip(files, contents, strict=True):
            staged[file].write_bytes(content)
            shutil.copymode(file.path, staged[file])
        for file in files:
            file.path.replace(aside[file])
            moved.append(file)
        for file in files:
            staged[file].replace(file.new_path)
            placed.append(file)
    except BaseException:
        for file in placed:
            file.new_path.unlink()
        for file in moved:
            aside[file].replace(file.path)
        raise
    else:
        _remove(aside.values())
    finally:
        _remove(staged.values())


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
