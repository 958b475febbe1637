"""A small frozen description of a schema, which edits change and SQLAlchemy models are built from.

A description may be compared, printed and read back; whatever refers to something does so by name.
What has had another name before says so: `was` is the hint of its model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

Place: TypeAlias = tuple[str, str]
"""(schema, name); the schema is empty for the default one."""


D = TypeVar("D", bound="Described")


@dataclass(frozen=True)
class Described:
    """What a description is made of."""


@dataclass(frozen=True)
class Placed(Described):
    """What stands by itself in a schema."""

    schema: str
    name: str

    @property
    def place(self) -> Place:
        """What it is found by."""
        return (self.schema, self.name)


@dataclass(frozen=True)
class Expression(Described):
    """SQL over columns: `{0}` and so on stand for the columns, `{a}` for a label."""

    template: str
    columns: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class IdentitySpec(Described):
    """Options of an identity column; None leaves one to the server."""

    always: bool = False
    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    cache: int | None = None
    cycle: bool = False


@dataclass(frozen=True)
class ColumnSpec(Described):
    """A column; `type` is a key of `column_type.TYPES`, or `enum:schema.name` with `[]` or not."""

    name: str
    type: str
    nullable: bool = True
    default: str = ""
    generated: Expression | None = None
    stored: bool = True
    identity: IdentitySpec | None = None
    serial: bool = False
    collation: str = ""
    storage: str = ""
    compression: str = ""
    statistics: int | None = None
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class KeySpec(Described):
    """A primary key or a unique constraint; `deferrable` is empty or SQL's words."""

    name: str
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    deferrable: str = ""
    nulls_not_distinct: bool = False
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class ForeignKeySpec(Described):
    """A foreign key; empty actions are left to the server."""

    name: str
    columns: tuple[str, ...]
    table: Place
    referred: tuple[str, ...]
    on_delete: str = ""
    on_update: str = ""
    match: str = ""
    deferrable: str = ""
    not_valid: bool = False
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class CheckSpec(Described):
    """A check."""

    name: str
    expression: Expression
    no_inherit: bool = False
    not_valid: bool = False
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class ExclusionSpec(Described):
    """An exclusion constraint over columns, each with its operator."""

    name: str
    using: str
    elements: tuple[tuple[str, str], ...]
    where: Expression | None = None
    deferrable: str = ""
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class ElementSpec(Described):
    """A column or an expression in an index."""

    expression: Expression
    opclass: str = ""
    collation: str = ""
    descending: bool = False
    nulls: str = ""


@dataclass(frozen=True)
class IndexSpec(Described):
    """An index."""

    name: str
    elements: tuple[ElementSpec, ...]
    method: str = "btree"
    unique: bool = False
    include: tuple[str, ...] = ()
    where: Expression | None = None
    options: tuple[tuple[str, str], ...] = ()
    nulls_not_distinct: bool = False
    comment: str = ""
    was: str = ""


@dataclass(frozen=True)
class PartitionSpec(Described):
    """How a table is partitioned, and its partitions: (name, bound)."""

    strategy: str
    columns: tuple[str, ...]
    children: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableSpec(Placed):
    """A table; `replica_identity` is DEFAULT, NOTHING, FULL or a unique index's name after `i:`."""

    columns: tuple[ColumnSpec, ...]
    primary_key: KeySpec | None = None
    uniques: tuple[KeySpec, ...] = ()
    foreign_keys: tuple[ForeignKeySpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    exclusions: tuple[ExclusionSpec, ...] = ()
    indexes: tuple[IndexSpec, ...] = ()
    comment: str = ""
    options: tuple[tuple[str, str], ...] = ()
    unlogged: bool = False
    row_security: str = ""
    replica_identity: str = "DEFAULT"
    partition: PartitionSpec | None = None
    inherits: Place | None = None
    was: str = ""

    def column(self, name: str) -> ColumnSpec | None:
        """Find a column of its own."""
        return next((one for one in self.columns if one.name == name), None)


@dataclass(frozen=True)
class EnumSpec(Placed):
    """An enumerated type, and the labels that have had another name: (before, now)."""

    labels: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SequenceSpec(Placed):
    """A sequence; `owner` is (table schema, table, column), empty for a free-standing one."""

    type: str = "bigint"
    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    cache: int | None = None
    cycle: bool = False
    owner: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class SchemaSpec(Described):
    """Everything that the models of one moment declare."""

    tables: tuple[TableSpec, ...] = ()
    enums: tuple[EnumSpec, ...] = ()
    sequences: tuple[SequenceSpec, ...] = ()

    @property
    def schemas(self) -> frozenset[str]:
        """The schemas that something is in, but for the default one."""
        every: tuple[Placed, ...] = (*self.tables, *self.enums, *self.sequences)
        found = {one.schema for one in every}
        return frozenset(found - {""})

    def table(self, place: Place) -> TableSpec | None:
        """Find a table."""
        return next((one for one in self.tables if one.place == place), None)

    def enum(self, place: Place) -> EnumSpec | None:
        """Find an enumerated type."""
        return next((one for one in self.enums if one.place == place), None)

    def with_table(self, table: TableSpec) -> SchemaSpec:
        """Put another description in the place of the table of the same name."""
        tables = tuple(table if one.place == table.place else one for one in self.tables)
        return replace(self, tables=tables)

    def parent_columns(self, table: TableSpec) -> tuple[ColumnSpec, ...]:
        """Return the columns that a table has from the table that it inherits from."""
        parent = self.table(table.inherits) if table.inherits else None
        return () if parent is None else (*self.parent_columns(parent), *parent.columns)


def with_column(table: TableSpec, column: ColumnSpec) -> TableSpec:
    """Put another description in the place of the column of the same name."""
    columns = tuple(column if one.name == column.name else one for one in table.columns)
    return replace(table, columns=columns)


def changed(one: D, changes: Mapping[str, Any]) -> D:
    """Return a description with other values for the properties that are named."""
    words: dict[str, Any] = dict(changes)
    return replace(one, **words)
