"""Attaching declarations to a `MetaData`, and finding them again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlalchemy import MetaData

_KEY = "pgmigrations"


@dataclass(frozen=True)
class Declaration:
    """Something that the database shall hold.

    Attributes:
        declared_at: `file:line` of the `declare()` call, for error messages.
    """

    declared_at: str = field(default="", kw_only=True, compare=False, repr=False)


_D = TypeVar("_D", bound=Declaration)


def declare(metadata: MetaData, *items: Declaration) -> None:
    """Attach declarations to the metadata whose tables need them.

    The same declaration may be attached again, so that a module can be imported twice.

    Example:
        >>> from pgmigrations.declare import Extension
        >>> declare(MetaData(), Extension("vector"))

    Args:
        metadata: The metadata that `alembic/env.py` hands over.
        items: Declarations of any kind, in any order.

    Raises:
        TypeError: An item is not a declaration.
    """
    caller = sys._getframe(1)
    place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    attached: list[Declaration] = metadata.info.setdefault(_KEY, [])
    for item in items:
        if not isinstance(item, Declaration):
            raise TypeError(
                f"declare() takes declarations such as Extension('vector'), got {item!r}"
            )
        if item not in attached:
            attached.append(replace(item, declared_at=place))


def declarations(metadata: MetaData, kind: type[_D]) -> list[_D]:
    """Return the metadata's declarations of one kind, in the order in which they were made."""
    return [item for item in metadata.info.get(_KEY, ()) if isinstance(item, kind)]
