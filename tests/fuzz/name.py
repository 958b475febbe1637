"""Names for what is drawn: most are plain, some hurt, a dropped one may come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from tests.contract.hurting_names import NAMES
from tests.fuzz.spec import SchemaSpec, TableSpec

SCHEMAS = ("", "", "", "other", "sch\"e'ma. %s :x")
"""Where things are; most are in the default schema."""

TEXTS = (
    "plain words",
    "it's",
    'say "hi"',
    "100% :x %s %(y)s",
    "back\\slash",
    "two\nlines",
    "é🐘 $$ $1",
)

HURTING = 0.12


def draw_name(rng: Random, spec: SchemaSpec, prefix: str, also: Iterable[str] = ()) -> str:
    """Draw a name that nothing has, whatever it is."""
    taken = {*names_of(spec), *also}
    if rng.random() < HURTING:
        name = rng.choice(NAMES)
        if name not in taken:
            return name
    number = 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def names_of(spec: SchemaSpec) -> Iterator[str]:
    """Yield every name of a description."""
    for table in spec.tables:
        yield from table_names(table)
    yield from (one.name for one in spec.enums)
    yield from (one.name for one in spec.sequences)


def table_names(table: TableSpec) -> Iterator[str]:
    """Yield the names of a table and of everything in it."""
    yield table.name
    for part in (table.columns, table.uniques, table.foreign_keys, table.checks):
        yield from (one.name for one in part)
    for other in (table.exclusions, table.indexes):
        yield from (one.name for one in other)
    if table.primary_key is not None:
        yield table.primary_key.name
    if table.partition is not None:
        yield from (name for name, _ in table.partition.children)
