"""The edits that turn one schema into another, by name."""

from __future__ import annotations

from tests.fuzz.edits import column, dependant, index, rename, table, type_and_sequence
from tests.fuzz.edits.registry import Edit

EDITS: dict[str, Edit] = {
    name: edit
    for module in (table, column, dependant, index, type_and_sequence, rename)
    for name, edit in module.EDITS.items()
}

_TIMES = {
    "table: partition": 4,
    "column: collation": 6,
    "column: generated": 3,
    "column: serial": 2,
    "column: type of both ends of a foreign key": 2,
    "check: drop": 2,
    "check: reword": 3,
    "check: options": 2,
    "exclusion: drop": 2,
    "exclusion: alter": 2,
    "index: add": 2,
    "index: order": 2,
    "index: predicate": 2,
    "index: include": 2,
    "index: unique": 3,
    "enum: label removed": 2,
    "enum: labels in another order": 2,
    "sequence: alter": 2,
    "sequence: drop": 2,
    "sequence: owner": 3,
    "sequence: comment": 2,
}
CHOICES: tuple[str, ...] = tuple(name for name in EDITS for _ in range(_TIMES.get(name, 1)))
"""The names to draw from, more often those for which few schemas have anything, so that all edits
are made about as often as each other."""
