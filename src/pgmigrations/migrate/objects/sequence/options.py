"""The properties of a sequence, as the operations take them and as SQL sets them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.counting import counting_on, draws_from, is_column, within_limits
from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.objects.sequence.catalog import SequenceRecord

Options: TypeAlias = Mapping[str, int | str | bool | Sequence[str]]
State: TypeAlias = dict[str, int | str | bool | Sequence[str]]

TYPES = {"smallint": 15, "integer": 31, "bigint": 63}
"""Bits of the largest value of each type."""

NAMES = (
    "type",
    "start",
    "increment",
    "minvalue",
    "maxvalue",
    "cache",
    "cycle",
    "owned_by",
    "unlogged",
    "comment",
)


class UnknownOption(PgMigrationsError):
    """A property that no sequence has."""

    def __init__(self, name: str) -> None:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = f"Write {near[0]!r}" if near else f"Choose among {', '.join(NAMES)}"
        super().__init__(f"A sequence has no property {name!r}", hint)
        self.name = name


class UnknownType(PgMigrationsError):
    """A type that no sequence can count in."""

    def __init__(self, name: object) -> None:
        super().__init__(f"A sequence cannot count in {name}", f"Choose among {', '.join(TYPES)}")
        self.name = name


def checked(options: Options | None) -> Options:
    """Refuse what no sequence has.

    Raises:
        UnknownOption: There is no property of that name.
        UnknownType: A sequence cannot have that type.
    """
    for name, value in (options or {}).items():
        if name not in NAMES:
            raise UnknownOption(name)
        if name == "type" and value not in TYPES:
            raise UnknownType(value)
    return options or {}


def state(record: SequenceRecord) -> State:
    """Return every property of a sequence."""
    start, increment, minvalue, maxvalue, cache, cycle = record.options
    return {
        "type": record.type,
        "start": int(start),
        "increment": int(increment),
        "minvalue": int(minvalue),
        "maxvalue": int(maxvalue),
        "cache": int(cache),
        "cycle": cycle == "true",
        "owned_by": list(record.owner),
        "unlogged": record.persistence == "u",
        "comment": record.comment,
    }


def complete(options: Options | None) -> State:
    """Add what the server chooses where a property is not said (manual, CREATE SEQUENCE)."""
    said = checked(options)
    type_ = said.get("type", "bigint")
    largest = 2 ** TYPES[str(type_)]
    ascending = int(_number(said.get("increment", 1))) > 0
    minvalue = said.get("minvalue", 1 if ascending else -largest)
    maxvalue = said.get("maxvalue", largest - 1 if ascending else -1)
    return {
        "type": type_,
        "start": minvalue if ascending else maxvalue,
        "increment": 1,
        "minvalue": minvalue,
        "maxvalue": maxvalue,
        "cache": 1,
        "cycle": False,
        "owned_by": [],
        "unlogged": False,
        "comment": "",
        **said,
    }


def shortened(every: State) -> State:
    """Leave out what the server would choose by itself."""
    kept = dict(every)
    # The limits follow from type and increment, the start from the limits.
    for name in (
        "comment",
        "unlogged",
        "owned_by",
        "cycle",
        "cache",
        "start",
        "maxvalue",
        "minvalue",
        "increment",
        "type",
    ):
        less = {key: value for key, value in kept.items() if key != name}
        if complete(less) == every:
            kept = less
    return kept


def clauses(options: Options) -> str:
    """Write the properties that CREATE and ALTER SEQUENCE take as clauses."""
    write: dict[str, Callable[[int | str | bool | Sequence[str]], str]] = {
        "type": lambda value: f"AS {_type(value)}",
        "increment": lambda value: f"INCREMENT BY {_number(value)}",
        "minvalue": lambda value: f"MINVALUE {_number(value)}",
        "maxvalue": lambda value: f"MAXVALUE {_number(value)}",
        "start": lambda value: f"START WITH {_number(value)}",
        "cache": lambda value: f"CACHE {_number(value)}",
        "cycle": lambda value: "CYCLE" if value else "NO CYCLE",
        "owned_by": lambda value: f"OWNED BY {_owner(value)}",
    }
    return "".join(f" {write[name](options[name])}" for name in write if name in options)


def comment(schema: str | None, name: str, text: object) -> str:
    """Write COMMENT ON SEQUENCE."""
    said = literal(str(text)) if text else "NULL"
    return f"COMMENT ON SEQUENCE {qualified(schema, name)} IS {said}"


def embedded(statement: str) -> str:
    """Write a statement as one of a block's: a block by itself must be executed there."""
    return f"EXECUTE {literal(statement)}" if statement.startswith("DO ") else statement


def counting_on_behind(
    schema: str | None, name: str, owner: object = None, *, is_drawn: bool = False
) -> str:
    """Write a block that lets a sequence go on behind the values of columns.

    Args:
        schema: Its schema.
        name: The sequence.
        owner: Schema, table and column; by default all whose defaults take its numbers.
        is_drawn: Whether the owner must be one of those, too.
    """
    sequence = f"{literal(qualified(schema, name))}::regclass"
    conditions = []
    if owner is not None:
        place = _names(owner)
        conditions.append(is_column(qualified(*place[:2]), place[2]))
    if owner is None or is_drawn:
        conditions.append(draws_from(sequence))
    return counting_on(sequence, " AND ".join(conditions))


def limited(schema: str | None, name: str, said: str, options: Options) -> str:
    """Write a block that alters a sequence, also where its position lies outside new limits.

    Args:
        schema: Its schema.
        name: The sequence.
        said: The clauses.
        options: The properties in them.
    """
    sequence = qualified(schema, name)
    low, high, step = (
        _number(options[key]) if key in options else None
        for key in ("minvalue", "maxvalue", "increment")
    )
    return within_limits(
        literal(sequence), f"ALTER SEQUENCE {sequence}{said}", low=low, high=high, step=step
    )


def condition(options: Options) -> str:
    """Write the condition that a sequence `q`, relation `c`, has the properties."""
    columns = {
        "start": "q.seqstart",
        "increment": "q.seqincrement",
        "minvalue": "q.seqmin",
        "maxvalue": "q.seqmax",
        "cache": "q.seqcache",
    }
    parts = ["true"]
    for name, value in options.items():
        if name in columns:
            parts.append(f"{columns[name]} = {_number(value)}")
        elif name == "type":
            parts.append(f"q.seqtypid = {literal(_type(value))}::pg_catalog.regtype")
        elif name == "cycle":
            parts.append("q.seqcycle" if value else "NOT q.seqcycle")
        elif name == "unlogged":
            parts.append(f"c.relpersistence = '{'u' if value else 'p'}'")
        elif name == "comment":
            found = "coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '')"
            parts.append(f"{found} = {literal(str(value))}")
        else:
            said = ", ".join(literal(one) for one in _names(value))
            parts.append(f"{OWNER} = ARRAY[{said}]::text[]")
    return "\n      AND ".join(parts)


OWNER = """coalesce((
        SELECT ARRAY[tn.nspname::text, t.relname::text, a.attname::text]
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'a'
          AND d.refobjsubid > 0), '{}')"""
"""(schema, table, column) that a sequence `c` is dropped with; empty for a free-standing one."""


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _type(value: object) -> str:
    if value not in TYPES:
        raise UnknownType(value)
    return str(value)


def _names(value: object) -> Sequence[str]:
    assert isinstance(value, (list, tuple))
    return value


def _owner(value: object) -> str:
    return ".".join(identifier(one) for one in _names(value)) or "NONE"
