"""A folder of small files that save work when nothing has changed, and are never needed."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

OFF = "off"
MOST_BYTES = 128 << 20
"""What the folder may hold; the files that were used longest ago are dropped first."""
MOST_FILES = 256
"""How many: each look through the folder asks for the age of all of them."""


class Cache:
    """Files by name, in a folder that may be missing, full, read-only or somebody else's.

    Nothing here fails: what cannot be read is not there, and what cannot be written is not kept.

    Args:
        folder: Where the files are; None keeps nothing.
        most_bytes: How much may be kept.
        most_files: How many of them.
    """

    def __init__(
        self, folder: Path | None, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_files = most_files

    @classmethod
    def of(cls, setting: str) -> Cache:
        """Open the folder that a setting names.

        Args:
            setting: A path, `off`, or empty for `pgmigrations` in the user's cache folder.
        """
        if setting == OFF:
            return cls(None)
        if setting:
            return cls(Path(setting).expanduser())
        base = os.environ.get("XDG_CACHE_HOME", "")
        try:
            # The specification has a relative path ignored.
            root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
        except RuntimeError:
            return cls(None)
        return cls(root / "pgmigrations")

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where there is none of this user's."""
        if self._folder is None:
            return None
        path = self._folder / name
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return None
                found = file.read()
            os.utime(path)
        except OSError:
            return None
        return found

    def names(self, prefix: str) -> list[str]:
        """Return the names that start so, the one used last first."""
        return [path.name for path in reversed(self._by_age()) if path.name.startswith(prefix)]

    def write(self, name: str, content: bytes) -> None:
        """Keep a file: whole or not at all, whatever happens meanwhile."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                Path(temporary).replace(self._folder / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        left = 0
        for number, path in enumerate(reversed(self._by_age()), start=1):
            if number <= self._most_files:
                left += path.stat().st_size
            if number > self._most_files or left > self._most_bytes:
                path.unlink(missing_ok=True)

    def _by_age(self) -> list[Path]:
        if self._folder is None:
            return []
        found: list[tuple[float, Path]] = []
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                if entry.is_file(follow_symlinks=False):
                    with suppress(OSError):
                        found.append((entry.stat().st_mtime, self._folder / entry.name))
        return [path for _, path in sorted(found)]
