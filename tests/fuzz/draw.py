"""Drawing the parts of a schema at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.fuzz.column_type import (
    IDENTITY_TYPES,
    TYPES,
    default_expressions,
    enum_key,
    enum_place,
    families,
)
from tests.fuzz.expression import COLUMN, CONDITIONS, GENERATED
from tests.fuzz.index_method import METHODS, takes
from tests.fuzz.name import TEXTS, draw_name
from tests.fuzz.spec import (
    CheckSpec,
    ColumnSpec,
    ElementSpec,
    ExclusionSpec,
    Expression,
    ForeignKeySpec,
    IdentitySpec,
    IndexSpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
    changed,
)
from tests.fuzz.valid import TOASTED, sequence_default

T = TypeVar("T")

ACTIONS = ("", "CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT")
DEFERRABLE = ("", "", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")
COLLATIONS = ("", "C", "POSIX")


SORTS = ("table",) * 8 + ("partitioned", "child")


@dataclass(frozen=True)
class Drawing:
    """A source of chance, and what the server can do.

    Attributes:
        rng: The source.
        major: The server's major version.
        has_lz4: Whether the server can compress by lz4.
        sorts: The sorts of tables that a schema is drawn from.
        taken: Names that no new table or column gets: between what has been and what bears its
            name now there may be no way.
    """

    rng: Random
    major: int
    has_lz4: bool = False
    sorts: tuple[str, ...] = SORTS
    taken: frozenset[str] = frozenset()

    def chance(self, probability: float) -> bool:
        """Say yes with a probability."""
        return self.rng.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Choose one of several."""
        return items[self.rng.randrange(len(items))]

    def other(self, items: Sequence[T], than: T) -> T:
        """Choose one that is not the one there is, where there is another."""
        return self.pick([item for item in items if item != than] or [than])

    def some(self, items: Sequence[T], most: int) -> tuple[T, ...]:
        """Choose up to some number of different items, at least one."""
        count = min(self.rng.randint(1, most), len(items))
        return tuple(self.rng.sample(list(items), count))

    def comment(self, probability: float = 0.15) -> str:
        """Draw a comment, mostly none."""
        return self.pick(TEXTS) if self.chance(probability) else ""

    def type(self, spec: SchemaSpec) -> str:
        """Draw a type; every fourth is of an enum, where there is one."""
        if spec.enums and self.chance(0.25):
            return enum_key(self.pick(spec.enums).place, array=self.chance(0.25))
        return self.pick(list(TYPES))

    def column(self, spec: SchemaSpec, table: TableSpec | None, type_: str = "") -> ColumnSpec:
        """Draw a column that need not be valid yet."""
        also = (*self.taken, *(one.name for one in table.columns)) if table else self.taken
        name = draw_name(self.rng, spec, "c", also)
        type_ = type_ or self.type(spec)
        column = ColumnSpec(name, type_, nullable=self.chance(0.7), comment=self.comment())
        changes: dict[str, object] = {}
        if self.chance(0.4):
            changes["default"] = self.default(column, spec)
        if "text" in families(type_) and self.chance(0.15):
            changes["collation"] = self.pick(COLLATIONS)
        if families(type_) & TOASTED and self.chance(0.15):
            changes["storage"] = self.pick(("EXTERNAL", "MAIN"))
        if families(type_) & TOASTED and self.chance(0.15):
            changes["compression"] = self.compression()
        if self.chance(0.1):
            changes["statistics"] = self.pick((0, 50, 500))
        if type_ in IDENTITY_TYPES and self.chance(0.15):
            changes["identity"] = self.identity()
        if table is not None and self.chance(0.2):
            generated = self.generated(table, type_)
            if generated is not None:
                changes |= {"generated": generated, "stored": self.chance(0.5)}
        return changed(column, changes)

    def default(self, column: ColumnSpec, spec: SchemaSpec) -> str:
        """Draw a default; of a whole number, now and then the next value of a sequence."""
        if spec.sequences and "integer" in families(column.type) and self.chance(0.3):
            return sequence_default(self.pick(spec.sequences))
        found = default_expressions(column.type, spec)
        return self.pick(found) if found else ""

    def compression(self) -> str:
        """Draw a compression method that the server has."""
        return self.pick(("pglz", "lz4")) if self.has_lz4 else "pglz"

    def identity(self) -> IdentitySpec:
        """Draw an identity, with options in every other."""
        if self.chance(0.5):
            return IdentitySpec(always=self.chance(0.5))
        return IdentitySpec(
            always=self.chance(0.5),
            start=self.pick((None, 1, 100)),
            increment=self.pick((None, 1, 5, -1)),
            minimum=self.pick((None, None, -1000)),
            maximum=self.pick((None, None, 30000)),
            cache=self.pick((None, 10)),
            cycle=self.chance(0.3),
        )

    def columns_for(self, slots: Sequence[str], table: TableSpec) -> tuple[str, ...] | None:
        """Draw a column for each slot of a template; None where the table lacks one."""
        found = []
        for family in slots:
            fitting = [one.name for one in table.columns if family in families(one.type)]
            if not fitting:
                return None
            found.append(self.pick(fitting))
        return tuple(found)

    def generated(self, table: TableSpec, type_: str) -> Expression | None:
        """Draw the expression of a generated column of a type."""
        fitting = [one for one, known in GENERATED.items() if known.type == type_]
        if not fitting:
            return None
        template = self.pick(fitting)
        columns = self.columns_for(GENERATED[template].slots, table)
        return None if columns is None else Expression(template, columns)

    def condition(self, spec: SchemaSpec, table: TableSpec) -> Expression | None:
        """Draw a condition on a table's columns."""
        template = self.pick(list(CONDITIONS))
        columns = self.columns_for(CONDITIONS[template], table)
        if columns is None:
            return None
        label = ""
        if "{a}" in template:
            column = table.column(columns[0])
            place = enum_place(column.type) if column is not None else None
            enum = spec.enum(place) if place is not None else None
            assert enum is not None
            label = self.pick(enum.labels)
        return Expression(template, columns, label)

    def key(self, spec: SchemaSpec, table: TableSpec, prefix: str) -> KeySpec | None:
        """Draw a primary key or a unique constraint."""
        fitting = [one.name for one in table.columns if "ordered" in families(one.type)]
        if not fitting:
            return None
        columns = self.some(fitting, 2)
        partition = table.partition
        if partition is not None:
            columns = tuple(dict.fromkeys((*partition.columns, *columns)))
        others = [one.name for one in table.columns if one.name not in columns]
        return KeySpec(
            draw_name(self.rng, spec, prefix),
            columns,
            include=self.some(others, 2) if others and self.chance(0.15) else (),
            deferrable=self.pick(DEFERRABLE) if self.chance(0.3) else "",
            nulls_not_distinct=prefix == "uq" and self.chance(0.2),
            comment=self.comment(),
        )

    def check(self, spec: SchemaSpec, table: TableSpec) -> CheckSpec | None:
        """Draw a check."""
        expression = self.condition(spec, table)
        if expression is None:
            return None
        return CheckSpec(
            draw_name(self.rng, spec, "ck"),
            expression,
            no_inherit=self.chance(0.15),
            not_valid=self.chance(0.15),
            comment=self.comment(),
        )

    def exclusion(self, spec: SchemaSpec, table: TableSpec) -> ExclusionSpec | None:
        """Draw an exclusion constraint."""
        ranges = [one.name for one in table.columns if "range" in families(one.type)]
        ordered = [one.name for one in table.columns if "ordered" in families(one.type)]
        if ranges and self.chance(0.7):
            using, elements = "gist", tuple((name, "&&") for name in self.some(ranges, 2))
        elif ordered:
            using, elements = "btree", tuple((name, "=") for name in self.some(ordered, 2))
        else:
            return None
        return ExclusionSpec(
            draw_name(self.rng, spec, "ex"),
            using,
            elements,
            where=self.condition(spec, table) if self.chance(0.3) else None,
            deferrable=self.pick(DEFERRABLE),
            comment=self.comment(),
        )

    def foreign_key(self, spec: SchemaSpec, table: TableSpec) -> ForeignKeySpec | None:
        """Draw a foreign key to any key that a table's columns fit."""
        candidates = []
        for other in spec.tables:
            for key in (other.primary_key, *other.uniques):
                if key is None or key.deferrable:
                    continue
                types = [other.column(name) for name in key.columns]
                fitting = [
                    [
                        one.name
                        for one in table.columns
                        if target is not None
                        and (one.type, one.collation) == (target.type, target.collation)
                    ]
                    for target in types
                ]
                if all(fitting):
                    candidates.append((other.place, key.columns, fitting))
        if not candidates:
            return None
        place, referred, choices = self.pick(candidates)
        columns = tuple(self.pick(choice) for choice in choices)
        if len(set(columns)) < len(columns):
            return None
        return ForeignKeySpec(
            draw_name(self.rng, spec, "fk"),
            columns,
            place,
            referred,
            on_delete=self.pick(ACTIONS),
            on_update=self.pick(ACTIONS),
            match=self.pick(("", "", "FULL")),
            deferrable=self.pick(DEFERRABLE),
            not_valid=self.chance(0.15),
            comment=self.comment(),
        )

    def index(self, spec: SchemaSpec, table: TableSpec) -> IndexSpec | None:
        """Draw an index."""
        method = self.pick(("btree", "btree", "btree", *METHODS))
        elements = self.elements(table, method)
        if not elements:
            return None
        known = METHODS[method]
        return IndexSpec(
            draw_name(self.rng, spec, "ix"),
            elements,
            method,
            unique=self.chance(0.25),
            include=self.some([one.name for one in table.columns], 2) if self.chance(0.2) else (),
            where=self.condition(spec, table) if self.chance(0.25) else None,
            options=(self.pick(known.options),) if self.chance(0.2) else (),
            nulls_not_distinct=self.chance(0.2),
            comment=self.comment(),
        )

    def elements(self, table: TableSpec, method: str) -> tuple[ElementSpec, ...]:
        """Draw what an index of a method indexes."""
        known = METHODS[method]
        found = [
            ElementSpec(Expression(COLUMN, (column.name,)), opclass)
            for column in table.columns
            for opclass in known.opclasses
        ]
        for template in known.expressions:
            found += [ElementSpec(Expression(template, (one.name,))) for one in table.columns]
        fitting = [one for one in found if takes(one, method, table)]
        if not fitting:
            return ()
        return tuple(self.ordered(one) for one in self.some(fitting, known.columns))

    def ordered(self, element: ElementSpec) -> ElementSpec:
        """Draw the order and the collation of an element."""
        return ElementSpec(
            element.expression,
            element.opclass,
            collation=self.pick(COLLATIONS) if self.chance(0.15) else "",
            descending=self.chance(0.25),
            nulls=self.pick(("FIRST", "LAST")) if self.chance(0.2) else "",
        )
