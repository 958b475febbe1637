"""The expressions that checks, predicates, indexes and generated columns are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from pgmigrations.migrate.core.quoting import identifier
from tests.fuzz.column_type import enum_place, families, quoted
from tests.fuzz.spec import Expression, SchemaSpec, TableSpec

COLUMN = "{0}"

CONDITIONS: dict[str, tuple[str, ...]] = {
    "{0} > 0": ("number",),
    "{0} BETWEEN 1 AND 100": ("number",),
    "{0} >= {1}": ("number", "number"),
    "{0} + 1 > {1} OR {0} IS NULL": ("number", "number"),
    "length({0}) > 0": ("text",),
    "{0} IN ('1', '2', 'c')": ("text",),
    "{0} <> 'it''s 100% :x \\ ' AND {0} <> ''": ("text",),
    "{0} LIKE '1%' OR {0} LIKE '2%'": ("text",),
    "{0} ~ '^[a-z1-9]+$'": ("text",),
    "lower({0}) = {0}": ("text",),
    "NOT {0}": ("boolean",),
    "{0} IS NOT FALSE": ("boolean",),
    "{0} > '2000-01-01'": ("moment",),
    "jsonb_typeof({0}) <> 'null'": ("jsonb",),
    "({0} ->> 'a') IS NULL": ("jsonb",),
    "{0} <> '00000000-0000-0000-0000-000000000000'": ("uuid",),
    "cardinality({0}) < 10": ("array",),
    "NOT isempty({0})": ("range",),
    "{0} <> {a}": ("enum",),
    "{0} IS NOT NULL": ("any",),
    "num_nonnulls({0}, {1}) >= 0": ("any", "any"),
    "CASE WHEN {0} IS NULL THEN true ELSE {1} IS NOT NULL END": ("any", "any"),
}

INDEXED: dict[str, tuple[str, ...]] = {
    "lower({0})": ("text",),
    "({0} || '%s')": ("text",),
    "(({0} + 1))": ("number",),
    "abs({0})": ("number",),
    "({0} ->> 'a''b')": ("jsonb",),
    "({0} IS NULL)": ("any",),
    "date_trunc('day'::text, {0})": ("timestamp",),
    "cardinality({0})": ("array",),
    "coalesce({0}, 0)": ("number",),
}


@dataclass(frozen=True)
class Generation:
    """The type of a generated column, and what it is made of."""

    type: str
    slots: tuple[str, ...]


GENERATED: dict[str, Generation] = {
    "{0} * 2": Generation("integer", ("int4",)),
    "{0} + {1}": Generation("integer", ("int4", "int4")),
    "lower({0})": Generation("text", ("text",)),
    "{0} || '%'::text": Generation("text", ("text",)),
    "length({0})": Generation("integer", ("text",)),
    "{0} IS NULL": Generation("boolean", ("any",)),
    "{0} > 5": Generation("boolean", ("number",)),
}


def slots_of(template: str) -> tuple[str, ...]:
    """Return the families that the columns of a template must have."""
    if template == COLUMN:
        return ("any",)
    if template in CONDITIONS:
        return CONDITIONS[template]
    if template in INDEXED:
        return INDEXED[template]
    return GENERATED[template].slots


def fits(expression: Expression, spec: SchemaSpec, table: TableSpec) -> bool:
    """Tell whether an expression can be understood over a table's own columns."""
    slots = slots_of(expression.template)
    for name, family in zip(expression.columns, slots, strict=True):
        column = table.column(name)
        if column is None or family not in families(column.type):
            return False
        place = enum_place(column.type)
        if "{a}" in expression.template and place is not None:
            enum = spec.enum(place)
            if enum is None or expression.label not in enum.labels:
                return False
    return True


def sql(expression: Expression) -> str:
    """Write an expression as SQL."""
    text = expression.template
    parts = {str(n): identifier(name) for n, name in enumerate(expression.columns)}
    parts["a"] = quoted(expression.label)
    for key in parts:
        text = text.replace("{" + key + "}", f"\0{key}\0")
    pieces = text.split("\0")
    return "".join(parts[p] if n % 2 else p for n, p in enumerate(pieces))
