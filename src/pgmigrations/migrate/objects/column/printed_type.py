"""A type that the server prints, as a revision says it."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Double,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.types import TypeEngine

from pgmigrations.migrate.core.reflection import ServerType

_PLAIN: dict[str, TypeEngine[Any]] = {
    "smallint": SmallInteger(),
    "integer": Integer(),
    "bigint": BigInteger(),
    "numeric": Numeric(),
    "double precision": Double(),
    "boolean": Boolean(),
    "text": Text(),
    "character varying": String(),
    "date": Date(),
    "timestamp without time zone": DateTime(),
    "timestamp with time zone": DateTime(timezone=True),
    "uuid": Uuid(),
    "json": JSON(),
    "jsonb": JSONB(),
}
_LENGTH = re.compile(r"character varying\((\d+)\)")
_PRECISION = re.compile(r"numeric\((\d+),(\d+)\)")


def printed_type(printed: str) -> TypeEngine[Any]:
    """Find SQLAlchemy's type for what `format_type()` prints; else one by that text."""
    length, precision = _LENGTH.fullmatch(printed), _PRECISION.fullmatch(printed)
    if length:
        return String(int(length[1]))
    if precision:
        return Numeric(int(precision[1]), int(precision[2]))
    return _PLAIN.get(printed) or ServerType(printed)
