"""The names of new revisions, in either of two conventions."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence

from pgmigrations.migrate.core.revision_file import RevisionFile
from pgmigrations.settings import Settings

SLUG_LENGTH = 60
_TIMESTAMPS_FROM = 10**11
"""Numbers from here on are milliseconds (1973 and later); no project counts that far."""


def next_revision_id(
    settings: Settings, message: str | None, files: Sequence[RevisionFile], taken: Sequence[str]
) -> str:
    """Return the id of a new revision, which is its file's stem, too.

    Example:
        >>> next_revision_id(Settings(), "Add favorites", [], [])
        '001_add_favorites'

    Args:
        settings: Says which convention, and from which number on.
        message: What the person wrote with `-m`.
        files: The revisions that there are.
        taken: Ids given to other new revisions of the same run.
    """
    numbers = [file.number for file in files if file.number is not None]
    numbers += [int(revision.partition("_")[0]) for revision in taken]
    if settings.revision_names == "timestamp":
        number = max([time.time_ns() // 1_000_000, *(one + 1 for one in numbers)])
        return f"{number}_{slug(message)}"
    counted = [one for one in numbers if one < _TIMESTAMPS_FROM]
    number = max([settings.revision_number_floor, *(one + 1 for one in counted)])
    widths = [len(file.path.stem.partition("_")[0]) for file in files if file.number in counted]
    return f"{number:0{max([settings.revision_number_width, *widths])}}_{slug(message)}"


def slug(message: str | None) -> str:
    """Write a message as part of a file name: ASCII letters, digits and underscores.

    Example:
        >>> slug("Füge Überschrift hinzu!")
        'fuge_uberschrift_hinzu'
    """
    decomposed = unicodedata.normalize("NFKD", message or "")
    ascii_only = decomposed.encode("ascii", "ignore").decode()
    words = "_".join(re.findall(r"[0-9a-z]+", ascii_only.lower()))
    if len(words) > SLUG_LENGTH:
        words = words[: SLUG_LENGTH + 1].rpartition("_")[0] or words[:SLUG_LENGTH]
    return words or "revision"
