"""What a project's revision files were found to say, kept beside alembic.ini.

Reading a thousand revision files takes seconds when they are imported, and hundredths of one when
they are only compared with what was read last time. Content is compared, never times: a copy, a
checkout or an image gives files any time. Imports little, since its users count milliseconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from pgmigrations import __version__

FILE = ".pgmigrations-manifest.json"
SECTION = "alembic"
ABSENT = ""
_FORMAT = 2
_SKIPPED = "__pycache__"
# Greater buffers are mapped and unmapped for each file, which takes longer than reading it.
_BLOCK = 1 << 16


class Manifest:
    """What is known of a project whose files are as they were.

    Args:
        files: Digest by file, such as `alembic.ini` and `alembic/env.py`; `ABSENT` for none.
            Every path here is relative to the folder of alembic.ini.
        pyproject: Digest of the pyproject.toml that Alembic reads beside alembic.ini.
        folders: The version locations.
        recursive: Whether their subfolders hold revisions, too.
        revisions: Digest of all revision files, their names included.
        heads: The heads as Alembic's `heads` understands them.
        rows: The version rows of a database that is at all heads; fewer where a head depends on
            another.
        version_table: Its name.
        version_table_schema: Its schema; empty for the connection's default schema.
        url: What gives the database's URL, `app/settings.py:database_url`; empty where the
            database cannot be looked at without env.py.
        paths: What is put in front of `sys.path` for it.
        unset: Variables that env.py may ask the environment for; none of them may be set.
        checksums: What the ledger says of a revision's code, by the revision; it need not have all.
    """

    def __init__(
        self,
        *,
        files: dict[str, str],
        pyproject: str,
        folders: list[str],
        recursive: bool,
        revisions: str,
        heads: list[str],
        rows: list[str],
        version_table: str,
        version_table_schema: str,
        url: str = "",
        paths: list[str] | None = None,
        unset: list[str] | None = None,
        checksums: dict[str, str] | None = None,
    ) -> None:
        self.files = files
        self.pyproject = pyproject
        self.folders = folders
        self.recursive = recursive
        self.revisions = revisions
        self.heads = heads
        self.rows = rows
        self.version_table = version_table
        self.version_table_schema = version_table_schema
        self.url = url
        self.paths = paths or []
        self.unset = unset or []
        self.checksums = checksums or {}

    def rows_at(self, target: str) -> list[str] | None:
        """The version rows of a database at a target; None where a revision must be looked up.

        Args:
            target: As given to `upgrade`.
        """
        if target == "heads" or (target == "head" and len(self.heads) == 1):
            return self.rows
        return None

    def fits(self, root: str, pyproject: str) -> bool:
        """Whether every file is as it was.

        Args:
            root: The folder of alembic.ini.
            pyproject: The path of the pyproject.toml that Alembic would read.
        """
        # A pyproject.toml that said something to Alembic is in `files`; any other may be missing.
        if digest_of(pyproject) not in (ABSENT, self.pyproject):
            return False
        for name, digest in self.files.items():
            if digest_of(os.path.join(root, name)) != digest:
                return False
        folders = [os.path.join(root, folder) for folder in self.folders]
        return digest_of_revisions(folders, recursive=self.recursive) == self.revisions


def read(root: str) -> Manifest | None:
    """Read a project's manifest; None where there is none, or none that this version wrote.

    Args:
        root: The folder of alembic.ini.
    """
    try:
        with open(os.path.join(root, FILE), "rb") as file:
            values = json.loads(file.read())
        if values.pop("format") != _FORMAT or values.pop("tool") != __version__:
            return None
        return Manifest(**values)
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def content_of(manifest: Manifest) -> str:
    """The text of the file, as `read` reads it."""
    values = {"format": _FORMAT, "tool": __version__, **vars(manifest)}
    return json.dumps(values, indent=1) + "\n"


def digest_of(path: str) -> str:
    """The digest of a file's content; `ABSENT` where there is none that can be read."""
    try:
        return blake2b(_content(path), digest_size=16).hexdigest()
    except OSError:
        return ABSENT


def digest_of_revisions(folders: Iterable[str], *, recursive: bool) -> str:
    """The digest of every revision file, names and content; `ABSENT` where one cannot be read.

    Args:
        folders: The version locations.
        recursive: Whether their subfolders count.
    """
    digest = blake2b(digest_size=16)
    try:
        for number, folder in enumerate(folders):
            for name in _names(folder, "", recursive):
                content = _content(os.path.join(folder, name))
                digest.update(b"%d %s %d " % (number, os.fsencode(name), len(content)))
                digest.update(content)
    except OSError:
        return ABSENT
    return digest.hexdigest()


def _names(folder: str, below: str, recursive: bool) -> Iterator[str]:
    try:
        with os.scandir(os.path.join(folder, below)) as entries:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except FileNotFoundError:
        # Alembic skips a version location that is not there.
        return
    for name, is_folder in found:
        if not is_folder and name.endswith(".py"):
            yield os.path.join(below, name)
        elif is_folder and recursive and name != _SKIPPED:
            yield from _names(folder, os.path.join(below, name), recursive)


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, _BLOCK)
        if len(content) < _BLOCK:
            return content
        parts = [content]
        while block := os.read(descriptor, _BLOCK):
            parts.append(block)
        return b"".join(parts)
    finally:
        os.close(descriptor)
