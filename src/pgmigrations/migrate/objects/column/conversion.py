"""What a column's values become when its type changes: the expression for USING, if one is needed.

Without USING the server converts by assignment, as INSERT does, and refuses a text that is too
long. An explicit cast would cut it silently, so it is written only where there is no other way
(PostgreSQL manual, ALTER TABLE, SET DATA TYPE, and pg_cast).
"""

from __future__ import annotations

import re

from sqlalchemy import Connection

from pgmigrations.migrate.core.quoting import identifier
from pgmigrations.migrate.objects.column.cast import find_cast

TIME_ZONE = "UTC"
"""The zone in which times without one are meant, where a revision does not say another."""

_MODIFIER = re.compile(r"\([^)\"]*\)")
_NAIVE = "timestamp without time zone"
_AWARE = "timestamp with time zone"
_TIME = "time without time zone"
_TIME_AWARE = "time with time zone"
_JSON = {"json": "to_json", "jsonb": "to_jsonb"}
_SHIFTED = f"{{}} AT TIME ZONE '{TIME_ZONE}'"
_ZONED = {
    (_NAIVE, _AWARE): _SHIFTED,
    (_AWARE, _NAIVE): _SHIFTED,
    ("date", _AWARE): f"{{}}::{_NAIVE} AT TIME ZONE '{TIME_ZONE}'",
    (_AWARE, "date"): f"({_SHIFTED})::date",
    (_AWARE, _TIME): f"({_SHIFTED})::{_TIME}",
    (_TIME, _TIME_AWARE): f"({{}}::text || '+00')::{_TIME_AWARE}",
}
"""Expressions where the server would take the zone of whoever runs the revision."""


def using(server: Connection | None, column: str, before: str, after: str) -> str | None:
    """Write the expression that makes values of one type into another's.

    Example:
        >>> using(connection, "year", "character varying(4)", "integer")
        '"year"::integer'

    Args:
        server: Knows which casts there are.
        column: Its name, unquoted.
        before: The type as it is, as the server prints it.
        after: The type as it shall be.

    Returns:
        The expression; None where the server converts by assignment.
    """
    return _converted(server, identifier(column), before, after)


def needs_zone(before: str, after: str) -> bool:
    """Tell whether the server reads or writes times as text, in the zone of the session."""
    pair = {base(before).removesuffix("[]"), base(after).removesuffix("[]")}
    return _AWARE in pair and not pair <= {_AWARE, _NAIVE, _TIME, _TIME_AWARE, "date"}


def base(type_: str) -> str:
    """Leave a type's modifiers out: `numeric(10,2)` is a `numeric`."""
    return _MODIFIER.sub("", type_)


def _converted(server: Connection | None, value: str, before: str, after: str) -> str | None:
    zoned = _ZONED.get((base(before), base(after)))
    if zoned is not None:
        return zoned.format(value)
    cast = find_cast(server, before, after)
    if cast.is_same or cast.context in ("i", "a"):
        return None
    one, other = before.endswith("[]"), after.endswith("[]")
    if one and other:
        return _items(server, value, before, after)
    if not (cast.context or one or other):
        if _is_bytes(server, before):
            decoded = f"convert_from({value}, 'UTF8')"
            return _converted(server, decoded, "text", after) or decoded
        if _is_bytes(server, after):
            return f"convert_to({value if cast.before == 'S' else f'{value}::text'}, 'UTF8')"
    if after in _JSON and before not in _JSON and cast.before != "S":
        return f"{_JSON[after]}({value})"
    if other and before not in _JSON:
        return _wrapped(server, value, before, after)
    if one:
        return _taken(server, value, before, after)
    return _scalar(value, before, after, cast.context, (cast.before, cast.after))


def _is_bytes(server: Connection | None, type_: str) -> bool:
    """Tell of bytea and its domains; a cast from a text to them reads backslashes as escapes."""
    return type_ == "bytea" or find_cast(server, type_, "bytea").is_same


def _scalar(
    value: str, before: str, after: str, context: str, categories: tuple[str, str]
) -> str | None:
    source, target = categories
    if target == "S":
        # By assignment everything becomes a text.
        return None
    if before in _JSON:
        # The text of an item without its quotes.
        return f"({value} #>> '{{}}')::{after}"
    if context or source == "S":
        return f"{value}::{after}"
    if source == "N" and target == "B":
        return f"{value} <> 0"
    if source == "B" and target == "N":
        return f"{value}::integer::{after}"
    return f"{value}::text::{after}"


def _items(server: Connection | None, value: str, before: str, after: str) -> str | None:
    one, other = before.removesuffix("[]"), after.removesuffix("[]")
    cast = find_cast(server, one, other)
    if cast.is_same or cast.context in ("i", "a") or cast.after == "S":
        return None
    if cast.context or cast.before == "S":
        return f"{value}::{after}"
    return f"{value}::text[]::{after}"


def _wrapped(server: Connection | None, value: str, before: str, after: str) -> str:
    item = _converted(server, value, before, after.removesuffix("[]"))
    # Not IS NOT NULL: a row of a composite type with a NULL in it is a value, too, and in a table
    # that inherits the column at another place servers to 18 look at the wrong one.
    return f"CASE WHEN num_nulls({value}) = 0 THEN ARRAY[{item or value}] END"


def _taken(server: Connection | None, value: str, before: str, after: str) -> str:
    first, one = f"({value}[1])", before.removesuffix("[]")
    item = _converted(server, first, one, after)
    # A text that is too long shall be refused, not cut.
    all_of_it = "text" if find_cast(server, one, after).after == "S" else f"text::{after}"
    if item is None:
        item = f"{first}::{all_of_it.removeprefix('text::')}"
    # More than one item is no value of the type; the server says so and names it.
    return f"CASE WHEN array_dims({value}) <> '[1:1]' THEN {value}::{all_of_it} ELSE {item} END"
