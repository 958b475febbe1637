"""Making a description valid: what the server would refuse is left out.

An edit or a shrinking step may take anything away; what rested on it goes here, once, until
nothing changes any more.
"""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.column_type import (
    IDENTITY_TYPES,
    LIMITS,
    default_expressions,
    enum_place,
    families,
)
from tests.fuzz.expression import GENERATED, fits
from tests.fuzz.spec import ColumnSpec, IdentitySpec, SchemaSpec, SequenceSpec, TableSpec
from tests.fuzz.valid_dependant import valid_dependants, valid_foreign_keys

SEQUENCE = "sequence:"
TOASTED = frozenset({"text", "json", "jsonb", "bytes", "array"})


def valid(spec: SchemaSpec, major: int) -> SchemaSpec:
    """Leave out what a server of this major version would refuse."""
    while True:
        changed = _once(spec, major)
        if changed == spec:
            return spec
        spec = changed


def sequence_default(sequence: SequenceSpec) -> str:
    """Write a default that takes the next value of a sequence."""
    return f"{SEQUENCE}{sequence.schema}\t{sequence.name}"


def sequence_of(default: str) -> tuple[str, str] | None:
    """Return the sequence that a default takes its values from."""
    if not default.startswith(SEQUENCE):
        return None
    schema, _, name = default.removeprefix(SEQUENCE).partition("\t")
    return (schema, name)


def _once(spec: SchemaSpec, major: int) -> SchemaSpec:
    tables = [table for table in spec.tables if _is_possible(table, spec)]
    spec = replace(spec, tables=tuple(tables))
    for place in [table.place for table in tables]:
        table = spec.table(place)
        assert table is not None
        columns = tuple(_column(one, table, spec, major) for one in table.columns)
        table = replace(table, columns=columns)
        spec = spec.with_table(valid_dependants(table, spec, major))
    for place in [table.place for table in tables]:
        table = spec.table(place)
        assert table is not None
        spec = spec.with_table(valid_foreign_keys(table, spec))
    return replace(spec, sequences=tuple(_sequence(one, spec) for one in spec.sequences))


def _is_possible(table: TableSpec, spec: SchemaSpec) -> bool:
    if not table.columns:
        return False
    if table.partition is not None:
        return all(table.column(name) is not None for name in table.partition.columns)
    if table.inherits is not None:
        parent = spec.table(table.inherits)
        if parent is None or parent.partition is not None or parent.place == table.place:
            return False
        inherited = {column.name for column in spec.parent_columns(table)}
        return not inherited & {column.name for column in table.columns}
    return True


def _column(column: ColumnSpec, table: TableSpec, spec: SchemaSpec, major: int) -> ColumnSpec:
    place = enum_place(column.type)
    if place is not None and spec.enum(place) is None:
        column = replace(column, type="text", default="", generated=None)
    column = _filled(column, table, spec, major)
    can = families(column.type)
    key = table.primary_key
    if (key is not None and column.name in key.columns) or column.identity or column.serial:
        column = replace(column, nullable=False)
    if "text" not in can:
        column = replace(column, collation="")
    if not can & TOASTED or not column.stored:
        column = replace(column, storage="", compression="")
    if not column.stored:
        column = replace(column, statistics=None, nullable=True)
    return column


def _filled(column: ColumnSpec, table: TableSpec, spec: SchemaSpec, major: int) -> ColumnSpec:
    """Let one thing fill a column: an expression, an identity, a sequence or a default."""
    generated = column.generated
    if generated is not None and not (
        GENERATED[generated.template].type == column.type
        and fits(generated, spec, table)
        and column.name not in generated.columns
        and all(_is_own(name, table) for name in generated.columns)
    ):
        generated = None
    if generated is None:
        column = replace(column, generated=None, stored=True)
    else:
        column = replace(column, identity=None, serial=False, default="")
        uses_enum = any(
            enum_place(one.type) for one in table.columns if one.name in generated.columns
        )
        if major < 18 or uses_enum:
            column = replace(column, stored=True)
    if column.type not in IDENTITY_TYPES:
        column = replace(column, identity=None, serial=False)
    if column.identity is not None:
        is_possible = _is_countable(column.identity, column.type)
        identity = column.identity if is_possible else IdentitySpec(column.identity.always)
        column = replace(column, identity=identity, serial=False, default="")
    key = table.primary_key
    if column.serial and (
        key is None or column.name not in key.columns or _has_earlier(column, table)
    ):
        column = replace(column, serial=False)
    if column.serial:
        column = replace(column, default="")
    return replace(column, default=_default(column, spec))


def _is_own(name: str, table: TableSpec) -> bool:
    column = table.column(name)
    return column is not None and column.generated is None


def _has_earlier(column: ColumnSpec, table: TableSpec) -> bool:
    serials = [one.name for one in table.columns if one.serial]
    return serials[0] != column.name


def _default(column: ColumnSpec, spec: SchemaSpec) -> str:
    place = sequence_of(column.default)
    if place is not None:
        known = any(one.place == place for one in spec.sequences)
        return column.default if known and "integer" in families(column.type) else ""
    return column.default if column.default in default_expressions(column.type, spec) else ""


def _is_countable(one: IdentitySpec | SequenceSpec, type_: str) -> bool:
    limit = LIMITS[type_]
    up = (one.increment or 1) > 0
    minimum = one.minimum if one.minimum is not None else (1 if up else -limit - 1)
    maximum = one.maximum if one.maximum is not None else (limit if up else -1)
    start = one.start if one.start is not None else (minimum if up else maximum)
    return -limit - 1 <= minimum <= start <= maximum <= limit and minimum < maximum


def _sequence(sequence: SequenceSpec, spec: SchemaSpec) -> SequenceSpec:
    if not _is_countable(sequence, sequence.type):
        sequence = replace(sequence, start=None, increment=None, minimum=None, maximum=None)
    if sequence.owner:
        table = spec.table((sequence.owner[0], sequence.owner[1]))
        is_there = (
            table is not None
            and table.column(sequence.owner[2]) is not None
            and table.schema == sequence.schema
            and not table.unlogged
        )
        sequence = sequence if is_there else replace(sequence, owner=())
    return sequence
