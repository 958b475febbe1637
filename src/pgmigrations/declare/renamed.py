"""Hints that an object of the models is one that had another name before."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from sqlalchemy.schema import SchemaItem

from pgmigrations.declare.declaration import Declaration

_KEY = "pgmigrations_renamed_from"


@dataclass(frozen=True)
class RenamedFrom:
    """What `renamed_from()` leaves in `info`.

    Attributes:
        old: The name before.
        declared_at: `file:line` of the call.
    """

    old: str
    declared_at: str


@dataclass(frozen=True)
class RenamedLabel(Declaration):
    """A label of an enumerated type that had another name before.

    Example:
        >>> RenamedLabel("job_status", "waiting", "pending")
        RenamedLabel(enum='job_status', old='waiting', new='pending', schema=None)

    Args:
        enum: The type, unquoted.
        old: The label as the database may still have it.
        new: The label as the models have it.
        schema: The type's schema; None for the first of the search path.
    """

    enum: str
    old: str
    new: str
    schema: str | None = None

    def __post_init__(self) -> None:
        if self.old == self.new:
            raise ValueError(f"RenamedLabel() takes two labels, got {self.old!r} twice")


def renamed_from(old: str) -> dict[Any, Any]:
    """Say which name a column, table, constraint or index has had before.

    The result is an `info`; other entries go beside it: `info={**renamed_from("year"), ...}`.

    Example:
        >>> from sqlalchemy import Column, Integer
        >>> column = Column("publication_year", Integer, info=renamed_from("year"))

    Args:
        old: The name as the database has it, unquoted; what a naming convention makes is written
            out. The schema, and the table of what is in one, stay.

    Raises:
        ValueError: The name is empty.
    """
    if not old:
        raise ValueError("renamed_from() needs the name before, such as renamed_from('year')")
    caller = sys._getframe(1)
    place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    return {_KEY: RenamedFrom(old, place)}


def rename_hint(item: SchemaItem) -> RenamedFrom | None:
    """Return the hint that an item of the models carries."""
    # Asking for `info` would make an empty one for each column of the models.
    info: dict[Any, Any] = vars(item).get("info", {})
    found = info.get(_KEY)
    assert found is None or isinstance(found, RenamedFrom)
    return found
