"""Pairs that have failed once: identities, and sequences that columns own."""

from __future__ import annotations

from tests.fuzz.draw_pair import Pair
from tests.fuzz.spec import ColumnSpec, IdentitySpec, SchemaSpec, SequenceSpec, TableSpec

OTHER = ColumnSpec("c2", "integer")


def _counting(identity: IdentitySpec | None, *owned: SequenceSpec) -> SchemaSpec:
    column = ColumnSpec("c1", "integer", nullable=False, identity=identity)
    return SchemaSpec((TableSpec("", "t", (column,)),), sequences=owned)


def _owning(sequence: str, default: str, *others: ColumnSpec) -> SchemaSpec:
    """A column that owns a sequence, beside others."""
    column = ColumnSpec("c1", "integer", default=default)
    owned = SequenceSpec("", sequence, "integer", owner=("", "t", "c1"))
    return SchemaSpec((TableSpec("", "t", (OTHER, column, *others)),), sequences=(owned,))


ALONE = SchemaSpec((TableSpec("", "t", (OTHER,)),))
BELOW = SequenceSpec("", "s", "integer", increment=-7, minimum=-100, owner=("", "t", "c1"))

COUNTING: dict[str, Pair] = {
    "an identity that counts down from values that it does not reach": Pair(
        _counting(None), _counting(IdentitySpec(increment=-1, minimum=-1000))
    ),
    "an identity within new limits, whose column owns another sequence, too": Pair(
        _counting(IdentitySpec(increment=-1), BELOW), _counting(IdentitySpec(), BELOW)
    ),
    "a column that takes its default from the sequence that it owns": Pair(
        ALONE, _owning("s", "sequence:\ts")
    ),
    "a column that owns the sequence that another takes its default from": Pair(
        ALONE, _owning("s", "7", ColumnSpec("c3", "integer", default="sequence:\ts"))
    ),
}
