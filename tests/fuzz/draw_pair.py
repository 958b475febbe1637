"""Drawing two schemas, the second by a few edits of the first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from random import Random

from tests.fuzz.draw import SORTS, Drawing
from tests.fuzz.draw_schema import draw_schema
from tests.fuzz.edits import CHOICES, EDITS
from tests.fuzz.hint import holding
from tests.fuzz.spec import SchemaSpec
from tests.fuzz.valid import valid

MOST_EDITS = 6


@dataclass(frozen=True)
class Pair:
    """Two schemas, and the names of the edits between them."""

    before: SchemaSpec
    after: SchemaSpec
    edits: tuple[str, ...] = ()
    is_created: bool = False
    """Whether the first schema is made by `create_all()`, not by a revision."""


def draw_pair(
    rng: Random,
    major: int,
    *,
    has_lz4: bool = False,
    without: Collection[str] = (),
    most_edits: int = MOST_EDITS,
) -> Pair:
    """Draw a pair.

    Args:
        rng: The source of chance; the same state gives the same pair.
        major: The server's major version.
        has_lz4: Whether the server can compress by lz4.
        without: Edits that are left out, by name; one that adds a sort of table, with that sort.
        most_edits: How many edits there are at most. The more, the more of them meet.
    """
    adding = {"partitioned": "table: add a partitioned one", "child": "table: add a child"}
    sorts = tuple(sort for sort in SORTS if adding.get(sort) not in without)
    drawing = Drawing(rng, major, has_lz4, sorts)
    is_created = drawing.chance(0.5)
    before = draw_schema(drawing)
    names = {
        name
        for table in before.tables
        for name in (table.name, *(one.name for one in table.columns))
    }
    drawing = replace(drawing, taken=frozenset(names))
    choices = [name for name in CHOICES if name not in without]
    wanted = rng.randint(1, most_edits)
    after = before
    applied: list[str] = []
    for _ in range(20 * most_edits):
        if len(applied) == wanted:
            break
        name = drawing.pick(choices)
        found = EDITS[name](drawing, after)
        found = None if found is None else valid(found, major)
        # An edit that takes an earlier one back would leave nothing to do.
        if found is not None and found not in (after, before):
            after = found
            applied.append(name)
    return Pair(before, holding(before, after), tuple(applied), is_created)
