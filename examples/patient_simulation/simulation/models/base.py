"""What every model shares: the names of constraints, the column types, the extensions.

A column typed `str` is varchar without a limit, `datetime` a timestamp without time zone,
`list[str]` an array of varchar; another type stands at the column. `| None` means that it may be
null.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import ARRAY, DateTime, ForeignKey, MetaData, String, Text, Uuid, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from pgmigrations.declare import Extension, declare

NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


class Base(DeclarativeBase):
    """The parent of all models."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String,
        uuid.UUID: Uuid,
        datetime: DateTime,
        list[str]: ARRAY(String),
    }


metadata = Base.metadata

declare(metadata, Extension("uuid-ossp"), Extension("vector"))

UuidKey = Annotated[
    uuid.UUID, mapped_column(primary_key=True, server_default=text("uuid_generate_v4()"))
]
"""The primary key of every table: a random UUID that the database makes."""

LongText = Annotated[str, mapped_column(Text)]
"""A text of any length."""

NowByDefault = Annotated[datetime, mapped_column(server_default=text("CURRENT_TIMESTAMP"))]
"""A moment, which is that of the insert unless the application gives another."""


def belongs_to(column: str) -> ForeignKey:
    """Refer to a row that takes this one along when it goes, and when its key changes.

    Args:
        column: The other table's key, as table and column.
    """
    return ForeignKey(column, onupdate="CASCADE", ondelete="CASCADE")
