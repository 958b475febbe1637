"""A comment in a revision: an operation that a person reads and that does nothing."""

from __future__ import annotations

import textwrap

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrateOperation

_WIDTH = 94


class Remark(MigrateOperation):
    """A text for whoever reads the revision.

    It is put in when a revision is as it will be written, so that no comparison counts it.

    Args:
        text: The text; line breaks in it become blanks.
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.splitlines())

    def reverse(self) -> Remark:
        """Say the same."""
        return self


def render_remark(_: AutogenContext, remark: Remark) -> list[str]:
    """Write the text as comment lines."""
    lines = textwrap.wrap(remark.text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in lines]
