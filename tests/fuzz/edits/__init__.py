"""The edits that turn one schema into another, by name."""

from __future__ import annotations

from tests.fuzz.edits import column, dependant, index, rename, table, type_and_sequence
from tests.fuzz.edits.registry import Edit

EDITS: dict[str, Edit] = {
    name: edit
    for module in (table, column, dependant, index, type_and_sequence, rename)
    for name, edit in module.EDITS.items()
}
