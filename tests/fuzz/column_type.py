"""The column types that schemas are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BIGINT,
    BOOLEAN,
    CHAR,
    DATE,
    INTEGER,
    JSON,
    NUMERIC,
    SMALLINT,
    TEXT,
    VARCHAR,
    Enum,
    LargeBinary,
    Uuid,
)
from sqlalchemy.dialects.postgresql import (
    BIT,
    CIDR,
    DOUBLE_PRECISION,
    INET,
    INT4RANGE,
    INTERVAL,
    JSONB,
    REAL,
    TIME,
    TIMESTAMP,
    TSTZRANGE,
    TSVECTOR,
)
from sqlalchemy.types import TypeEngine

from tests.fuzz.spec import EnumSpec, Place, SchemaSpec


@dataclass(frozen=True)
class ColumnType:
    """A type of the server.

    Attributes:
        make: Makes SQLAlchemy's type, with a collation or None.
        families: What the type can do; templates and index methods ask for one of these.
        defaults: Expressions that may be a default.
        values: Literals of two rows.
        changes: Keys of the types that every value of `values` can be changed into.
    """

    make: Callable[[str | None], TypeEngine[Any]]
    families: frozenset[str]
    defaults: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


def _plain(make: Callable[[], TypeEngine[Any]]) -> Callable[[str | None], TypeEngine[Any]]:
    return lambda collation: make()


def _of(
    make: Callable[[], TypeEngine[Any]],
    families: str,
    defaults: tuple[str, ...] = (),
    values: tuple[str, ...] = (),
    changes: tuple[str, ...] = (),
) -> ColumnType:
    return ColumnType(_plain(make), frozenset(families.split()), defaults, values, changes)


_NUMBERS = ("smallint", "integer", "bigint", "numeric", "numeric(12,2)", "real", "double precision")
_TEXTS = ("text", "varchar", "varchar(20)", "varchar(80)", "char(12)")
_WHOLE = ("0", "7", "(1 + 2)")
_WORDS = ("'a'", "'it''s 100% :x'", "lower('ABC')", "'back\\slash'", "''")
_FROM_TEXT = (*_TEXTS, "integer", "numeric(12,2)", "bytea")


def _text(make: Callable[[str | None], TypeEngine[Any]]) -> ColumnType:
    families = frozenset(["any", "ordered", "text", "hashed"])
    return ColumnType(make, families, _WORDS, ("'1'", "'2'"), _FROM_TEXT)


TYPES: dict[str, ColumnType] = {
    "smallint": _of(
        SMALLINT, "any ordered number integer hashed", _WHOLE, ("1", "2"), (*_NUMBERS, *_TEXTS)
    ),
    "integer": _of(
        INTEGER,
        "any ordered number integer hashed int4",
        _WHOLE,
        ("1", "2"),
        (*_NUMBERS, *_TEXTS, "boolean", "integer[]"),
    ),
    "bigint": _of(
        BIGINT, "any ordered number integer hashed", _WHOLE, ("1", "2"), (*_NUMBERS, *_TEXTS)
    ),
    "numeric": _of(
        NUMERIC, "any ordered number hashed", ("1.50", "0"), ("1", "2.5"), (*_NUMBERS, "text")
    ),
    "numeric(12,2)": _of(
        lambda: NUMERIC(12, 2),
        "any ordered number hashed",
        ("1.5",),
        ("1", "2"),
        (*_NUMBERS, "text"),
    ),
    "real": _of(REAL, "any ordered number hashed", ("1.5",), ("1", "2"), (*_NUMBERS, "text")),
    "double precision": _of(
        DOUBLE_PRECISION, "any ordered number hashed", ("1e10",), ("1", "2"), (*_NUMBERS, "text")
    ),
    "text": _text(lambda collation: TEXT(collation=collation)),
    "varchar": _text(lambda collation: VARCHAR(collation=collation)),
    "varchar(20)": _text(lambda collation: VARCHAR(20, collation=collation)),
    "varchar(80)": _text(lambda collation: VARCHAR(80, collation=collation)),
    "char(12)": _text(lambda collation: CHAR(12, collation=collation)),
    "boolean": _of(
        BOOLEAN, "any ordered boolean", ("true", "false"), ("true", "false"), ("text", "integer")
    ),
    "timestamp": _of(
        TIMESTAMP,
        "any ordered timestamp moment hashed",
        ("now()", "'2020-01-02 03:04:05'", "CURRENT_TIMESTAMP"),
        ("'2020-01-02'", "'2021-01-02'"),
        ("timestamptz", "date", "text", "timestamp(3)"),
    ),
    "timestamp(3)": _of(
        lambda: TIMESTAMP(precision=3),
        "any ordered timestamp moment hashed",
        ("now()",),
        ("'2020-01-02'", "'2021-01-02'"),
        ("timestamptz", "date", "text", "timestamp"),
    ),
    "timestamptz": _of(
        lambda: TIMESTAMP(timezone=True),
        "any ordered moment hashed",
        ("now()", "'2020-01-02 03:04:05+02'"),
        ("'2020-01-02'", "'2021-01-02'"),
        ("timestamp", "date", "text"),
    ),
    "date": _of(
        DATE,
        "any ordered moment hashed",
        ("CURRENT_DATE", "'2020-02-29'"),
        ("'2020-01-02'", "'2021-01-02'"),
        ("timestamp", "timestamptz", "text"),
    ),
    "time": _of(
        TIME, "any ordered hashed", ("'10:00'",), ("'1:00'", "'2:00'"), ("text", "interval")
    ),
    "interval": _of(
        INTERVAL, "any ordered hashed", ("'1 day'",), ("'1 hour'", "'2 hours'"), ("text", "time")
    ),
    "uuid": _of(
        Uuid,
        "any ordered uuid hashed",
        ("gen_random_uuid()",),
        (
            "'00000000-0000-0000-0000-000000000001'",
            "'00000000-0000-0000-0000-000000000002'",
        ),
        ("text", "varchar(80)"),
    ),
    "json": _of(
        JSON, "any json", ("'{}'", '\'{"a": "100%"}\''), ("'[1]'", "'{}'"), ("jsonb", "text")
    ),
    "jsonb": _of(
        JSONB,
        "any ordered jsonb",
        ("'{}'", "jsonb_build_object('a', 1)"),
        ("'[1]'", "'{}'"),
        ("json", "text"),
    ),
    "bytea": _of(
        LargeBinary, "any ordered bytes", ("'\\x61c3a4'",), ("'\\x01'", "'\\x02'"), ("text",)
    ),
    "inet": _of(
        INET, "any ordered inet", ("'127.0.0.1'",), ("'10.0.0.1'", "'10.0.0.2'"), ("cidr", "text")
    ),
    "cidr": _of(
        CIDR, "any ordered", ("'10.0.0.0/8'",), ("'10.0.0.0/8'", "'11.0.0.0/8'"), ("inet", "text")
    ),
    "bit(5)": _of(
        lambda: BIT(5), "any ordered", ("B'10101'",), ("B'10101'", "B'00001'"), ("text",)
    ),
    "integer[]": _of(
        lambda: ARRAY(INTEGER),
        "any ordered array",
        ("'{}'", "ARRAY[1, 2]"),
        ("'{1}'", "'{2}'"),
        ("bigint[]", "text[]", "integer"),
    ),
    "bigint[]": _of(
        lambda: ARRAY(BIGINT), "any ordered array", ("'{}'",), ("'{1}'", "'{2}'"), ("integer[]",)
    ),
    "text[]": _of(
        lambda: ARRAY(TEXT),
        "any ordered array",
        ("'{}'", "ARRAY['a,b', 'c']"),
        ("'{1}'", "'{2}'"),
        ("integer[]", "text"),
    ),
    "int4range": _of(
        INT4RANGE, "any ordered range", ("'[1,5)'",), ("'[1,2)'", "'[3,4)'"), ("text",)
    ),
    "tstzrange": _of(
        TSTZRANGE,
        "any ordered range",
        ("'empty'",),
        ("'[2020-01-01,2020-02-01)'", "'empty'"),
        ("text",),
    ),
    "tsvector": _of(TSVECTOR, "any document", ("''",), ("'a'", "'b'"), ("text",)),
}

ENUM = "enum:"
IDENTITY_TYPES = ("smallint", "integer", "bigint")
LIMITS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def enum_place(key: str) -> Place | None:
    """Return the enumerated type that a column's type is of, arrays of it included."""
    if not key.startswith(ENUM):
        return None
    schema, _, name = key.removeprefix(ENUM).removesuffix("[]").partition("\t")
    return (schema, name)


def enum_key(place: Place, *, array: bool = False) -> str:
    """Write the type of a column that is of an enumerated type."""
    return f"{ENUM}{place[0]}\t{place[1]}" + ("[]" if array else "")


def families(key: str) -> frozenset[str]:
    """Return what a column's type can do."""
    if key.startswith(ENUM):
        return frozenset(
            {"any", "ordered", "hashed"} | ({"array"} if key.endswith("[]") else {"enum"})
        )
    return TYPES[key].families


def default_expressions(key: str, spec: SchemaSpec) -> tuple[str, ...]:
    """Return expressions that may be the default of a column of this type."""
    place = enum_place(key)
    if place is None:
        return TYPES[key].defaults
    if key.endswith("[]"):
        return ("'{}'",)
    enum = spec.enum(place)
    assert enum is not None
    return tuple(quoted(label) for label in enum.labels)


def quoted(text: str) -> str:
    """Quote a literal."""
    return "'" + text.replace("'", "''") + "'"


def type_of(key: str, collation: str, enums: dict[Place, Enum]) -> TypeEngine[Any]:
    """Make SQLAlchemy's type of a column."""
    place = enum_place(key)
    if place is None:
        return TYPES[key].make(collation or None)
    return ARRAY(enums[place]) if key.endswith("[]") else enums[place]


def type_changes(key: str, enums: Iterable[EnumSpec]) -> list[str]:
    """Return the types that a column can be changed into."""
    if key.startswith(ENUM):
        return ["text", "varchar(80)"] if not key.endswith("[]") else ["text[]", "text"]
    if key in ("text", "varchar", "varchar(20)", "varchar(80)", "char(12)"):
        return [*TYPES[key].changes, *(enum_key(one.place) for one in enums)]
    return list(TYPES[key].changes)
