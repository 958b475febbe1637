"""What every model shares: the names of constraints, the column types, the extensions.

A constraint or index is named by `NAMING_CONVENTION`; a model spells out only a name that departs
from it. A column typed `str` is text, `int` an integer, `datetime` a timestamp with time zone,
`list[str]` an array of varchar; another type stands at the column. `| None` means that it may be
null.
"""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import ARRAY, JSON, DateTime, Enum, MetaData, String, Text, Uuid, func, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from pgmigrations.declare import Extension, declare

NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "idx_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """The parent of all models."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        uuid.UUID: Uuid,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(String),
    }


metadata = Base.metadata

declare(metadata, Extension("uuid-ossp"), Extension("vector"))

UuidKey = Annotated[
    uuid.UUID, mapped_column(primary_key=True, server_default=text("uuid_generate_v4()"))
]
"""The primary key of most tables: a random UUID that the database makes."""

NowByDefault = Annotated[datetime, mapped_column(server_default=func.now())]
"""A moment, which is that of the insert unless the application gives another."""

JsonObject = Annotated[dict[str, Any], mapped_column(JSON, server_default=text("'{}'::json"))]
"""Free-form details by name, none by default."""

JsonList = Annotated[list[Any], mapped_column(JSON, server_default=text("'[]'::json"))]
"""A free-form list, empty by default."""


def enum_type(labels: type[enum.StrEnum], name: str) -> Enum:
    """Make the PostgreSQL enum type whose labels are the values of a Python enum.

    The type belongs to the metadata, so that it exists even where no column uses it.

    Args:
        labels: The Python enum; its values are the labels, in the order in which they are written.
        name: The name of the type in the database.

    Example:
        >>> class Color(enum.StrEnum):
        ...     RED = "red"
        >>> COLOR = enum_type(Color, "color")
    """
    return Enum(
        labels,
        name=name,
        metadata=metadata,
        values_callable=lambda members: [member.value for member in members],
    )
