"""Foreign keys that stay as they are while what they rest upon changes, and is no constraint.

The server changes neither the type of a column below a foreign key to one that does not compare
with the other end's, nor drops the unique index that the key rests upon, nor lets a logged table
refer to an unlogged one.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic.operations.ops import MigrateOperation
from sqlalchemy import text

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord
from pgmigrations.migrate.objects.constraint.phrase import (
    Places,
    added_around,
    differs,
    key_of,
    removed_around,
)
from pgmigrations.migrate.objects.constraint.sql import PERSISTENCE, TYPE

# A foreign key compares by what a B-tree can: numbers of all sizes, or a text with a varchar.
_COMPARES = text("""
WITH type (name, oid) AS (
  SELECT y.name, to_regtype(y.name)::oid
  FROM (VALUES (CAST(:one AS text)), (CAST(:other AS text))) AS y (name)
), alike (name, oid) AS (
  SELECT name, oid FROM type
  UNION
  SELECT t.name, k.casttarget FROM type t JOIN pg_catalog.pg_cast k
    ON k.castsource = t.oid AND k.castmethod = 'b' AND k.castcontext = 'i'
)
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_amop o
  JOIN pg_catalog.pg_am m ON m.oid = o.amopmethod AND m.amname = 'btree'
  JOIN alike a ON a.name = :one AND a.oid = o.amoplefttype
  JOIN alike b ON b.name = :other AND b.oid = o.amoprighttype
  WHERE o.amopstrategy = 3)
""")


def resting(difference: Difference) -> Iterator[MigrateOperation]:
    """Take those foreign keys away before the change, and give them back after it."""
    for identity, before in difference.actual.items():
        if not isinstance(before, ConstraintRecord) or before.sort != "foreign key":
            continue
        after = difference.declared.get(identity)
        if after is None or after.definition != before.definition:
            continue
        places = (
            _index(before, after, difference)
            or _column(before, difference)
            or _tables(before, difference)
        )
        if places is not None:
            yield removed_around(before, places, difference)
            yield added_around(after, places, difference)


def _index(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Places | None:
    """Find the unique index that a foreign key rests upon, if that goes or is made anew."""
    if key_of(before) in difference.actual:
        # That is a constraint, with which it goes.
        return None
    schema, table = before.referred_table
    identity = ("index", schema, table, before.referred_key)
    if identity not in difference.actual or not differs(identity, difference):
        return None
    if differs(key_of(after), difference) and not differs(key_of(before), difference):
        # It goes with the constraint that comes.
        return None
    definitions = (
        getattr(state.get(key), "definition", "")
        for state, key in ((difference.actual, identity), (difference.declared, key_of(before)))
    )
    old, new = definitions
    new = new or getattr(difference.declared.get(identity), "definition", "")
    place = (schema, table, before.referred_key)
    return ([*place, old], [*place, new])


def _column(key: ConstraintRecord, difference: Difference) -> Places | None:
    """Find a column that gets a type which does not compare with that of the other end before."""
    schema, table = key.referred_table
    for name, referred in zip(key.columns, key.referred_columns, strict=True):
        own = _types((key.schema, key.table, name), difference)
        other = _types((schema, table, referred), difference)
        if own is None or other is None:
            continue
        if not (
            _compares(own[0], other[1], difference) and _compares(own[1], other[0], difference)
        ):
            place = (key.schema, key.table, name)
            return ([*place, TYPE + own[0]], [*place, TYPE + own[1]])
    return None


def _tables(key: ConstraintRecord, difference: Difference) -> Places | None:
    """Find the table of a foreign key, if it becomes logged or unlogged with the other end."""
    words = {sign: word for word, sign in PERSISTENCE.items()}
    signs = [
        getattr(state.get(("table", *place)), "persistence", "")
        for place in (key.relation, key.referred_table)
        for state in (difference.actual, difference.declared)
    ]
    if key.relation == key.referred_table or signs[0] == signs[1] or signs[2] == signs[3]:
        return None
    place = (*key.relation, "")
    return ([*place, words[signs[0]]], [*place, words[signs[1]]])


def _types(place: tuple[str, str, str], difference: Difference) -> tuple[str, str] | None:
    before = difference.actual.get(("column", *place))
    after = difference.declared.get(("column", *place))
    if before is None or after is None or before.type == after.type:
        return None
    return (before.type, after.type)


def _compares(one: str, other: str, difference: Difference) -> bool:
    one, other = difference.stored_type(one), difference.stored_type(other)
    if difference.server is None:
        return one == other
    found = difference.server.execute(_COMPARES, {"one": one, "other": other}).scalar_one()
    return bool(found)
