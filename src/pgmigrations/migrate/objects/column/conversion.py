"""What a column's values become when its type changes: the expression for USING, if one is needed.

Without USING the server converts by assignment, as INSERT does, and refuses a text that is too
long. An explicit cast would cut it silently, so it is written only where there is no other way
(PostgreSQL manual, ALTER TABLE, SET DATA TYPE, and pg_cast).
"""

from __future__ import annotations

import re

from pgmigrations.migrate.core.quoting import identifier

TIME_ZONE = "UTC"
"""The zone in which times without one are meant, where a revision does not say another."""

_MODIFIER = re.compile(r"\([^)\"]*\)")
_STRINGS = frozenset({"text", "character varying", "character", "name", "bpchar"})
# Within each of these the server's pg_cast has a cast for assignment, both ways.
_ASSIGNABLE = (
    frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"}),
    frozenset({"bit", "bit varying"}),
    frozenset({"json", "jsonb"}),
    frozenset({"inet", "cidr"}),
)
_NAIVE = "timestamp without time zone"
_AWARE = "timestamp with time zone"


def using(column: str, before: str, after: str) -> str | None:
    """Write the expression that makes values of one type into another's.

    Example:
        >>> using("year", "character varying(4)", "integer")
        '"year"::integer'

    Args:
        column: Its name, unquoted.
        before: The type as it is, as the server prints it.
        after: The type as it shall be.

    Returns:
        The expression; None where the server converts by assignment.
    """
    name = identifier(column)
    if before.endswith("[]") != after.endswith("[]"):
        return _wrapped(name, before, after) if after.endswith("[]") else _taken(name, after)
    one, other = base(before), base(after)
    if one == other:
        return None
    if _NAIVE in (one, other) and _AWARE in (one, other):
        return f"{name} AT TIME ZONE '{TIME_ZONE}'"
    if (one, other) == ("date", _AWARE):
        return f"{name}::{_NAIVE} AT TIME ZONE '{TIME_ZONE}'"
    if (one, other) == (_AWARE, "date"):
        return f"({name} AT TIME ZONE '{TIME_ZONE}')::date"
    return None if _is_assignable(one, other) else f"{name}::{after}"


def base(type_: str) -> str:
    """Leave a type's modifiers out: `numeric(10,2)` is a `numeric`."""
    return _MODIFIER.sub("", type_)


def _is_assignable(before: str, after: str) -> bool:
    before, after = before.removesuffix("[]"), after.removesuffix("[]")
    return after in _STRINGS or any(before in group and after in group for group in _ASSIGNABLE)


def _wrapped(name: str, before: str, after: str) -> str:
    is_plain = using(name, before, after.removesuffix("[]")) is None
    cast = "" if is_plain else f"::{after}"
    return f"CASE WHEN {name} IS NOT NULL THEN ARRAY[{name}]{cast} END"


def _taken(name: str, after: str) -> str:
    # More than one item is no value of the type; the server says so and names it.
    all_of_it, first = f"{name}::text::{after}", f"({name}[1])::{after}"
    return f"CASE WHEN cardinality({name}) > 1 THEN {all_of_it} ELSE {first} END"
