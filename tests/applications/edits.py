"""Every edit of the list.

An edit that needs a thing to drop or to change takes one of the models' own; where they have none,
they are given one before.
"""

from __future__ import annotations

from tests.applications.column_edits import column_edits, label_edits
from tests.applications.edit import Edit
from tests.applications.index_edits import index_edits
from tests.applications.table_edits import table_edits


def edits() -> list[Edit]:
    """Return them in the order of the list."""
    return [*column_edits(), *label_edits(), *index_edits(), *table_edits()]
