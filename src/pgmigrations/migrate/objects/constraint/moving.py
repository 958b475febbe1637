"""What changes below a constraint, so that the constraint must make way for it.

The server makes the constraints and indexes of a column anew when its type changes (manual, ALTER
TABLE, SET DATA TYPE). It cannot where a constraint is on two such columns, one of which is of the
other type already and the other is not yet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.part import column_state, is_retyped, table_state
from pgmigrations.migrate.core.snapshot import Change, Identity
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord

KEYS = ("primary key", "unique")

# A column that differs in one of these cannot be changed below a constraint in every case.
_PROPERTIES = ("type", "not_null", "generated", "collation")
# One that differs in one of these lets go of what is generated from it first.
_VALUES = ("type", "generated", "collation")


@dataclass(frozen=True)
class MovingPart:
    """A column, or what a foreign key rests upon, that changes.

    Attributes:
        place: What `core.part` calls a part, without what it is.
        before: What it is, as `core.part` says it.
        after: What it becomes.
    """

    place: Identity
    before: str
    after: str


def moving(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Sequence[MovingPart] | None:
    """Find what a constraint must make way for; None where it may stay while others change."""
    found = []
    if before.sort == after.sort == "foreign key":
        found = [
            *_keys(before, after, difference),
            *_both_ends(before, difference),
            *_generic(before, after, difference),
            *_logged(before, after, difference),
        ]
    if before.definition != after.definition:
        names = dict.fromkeys(
            name for one in (before, after) for name in (*one.columns, *one.included_columns)
        )
        found += _changed(before.relation, names, difference)
    elif before.sort in ("check", "exclusion"):
        retyped = _retyped(before.relation, before.columns, difference)
        found += retyped if len(retyped) > 1 else []
    return list(dict.fromkeys(found)) or None


def disturbed(difference: Difference) -> Iterator[Change[ConstraintRecord]]:
    """Find the constraints that stay as they are and must make way for the changes of others.

    A foreign key of a table that is dropped goes before the key that it rests upon, too.
    """
    places = {identity[1:3] for identity in difference.differing}
    if not places:
        return
    for identity, before in difference.actual.items():
        if identity[0] != "constraint" or not {before.relation, before.referred_table[:2]} & places:
            continue
        if not difference.has_table(*before.relation):
            if before.referred_relations and resting(before, difference):
                yield Change(before, None)
            continue
        after = difference.declared.get(identity)
        if after is None or identity in difference.differing:
            continue
        # Printed in two ways, both mean the same on the columns as they are afterwards.
        after = dataclasses.replace(after, definition=before.definition)
        if moving(before, after, difference) is not None:
            yield Change(before, after)


def resting(record: ConstraintRecord, difference: Difference) -> list[MovingPart]:
    """Find what changes below a foreign key whose own table comes or goes whole.

    Nothing is found below one to a table that comes or goes itself: tables have an order.
    """
    if not difference.has_table(record.referred_table[0], record.referred_table[1]):
        return []
    return [*_keys(record, record, difference), *_logged(record, record, difference)]


def _keys(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Iterator[MovingPart]:
    """Find what changes of the key or unique index that a foreign key rests upon.

    Of several keys of the same columns it is not said upon which: in a copy made from a dump it may
    be another one. The server makes an index anew when a column that it includes changes its type,
    and refuses to while a foreign key rests upon it; and a generated column goes for a moment when
    what it is generated from changes, with the keys that it is in.
    """
    places = [
        (kind, *one.referred_table, one.referred_key)
        for kind in ("constraint", "index")
        for one in (before, after)
    ]
    relation = before.referred_table[0], before.referred_table[1]
    places += [
        one.identity
        for one in difference.actual_in(relation)
        if isinstance(one, ConstraintRecord) and one.sort in KEYS
        if set(one.columns) == set(before.referred_columns)
    ]
    for place in dict.fromkeys(places):
        old, new = _definitions(place, difference)
        if old != new and (place in difference.differing or not (old and new)):
            yield MovingPart(place, old, new)
        found = difference.actual.get(place)
        if found is not None:
            yield from _retyped(relation, found.included_columns, difference)
            names = (*before.referred_columns, *found.included_columns)
            yield from _changed(relation, names, difference, among=("generated",))
            sources = _sources(relation, names, difference)
            yield from _changed(relation, sources, difference, among=_VALUES)


def _sources(relation: tuple[str, str], names: Iterable[str], difference: Difference) -> list[str]:
    """Name what the generated columns among those of these names are generated from."""
    places = [("column", *relation, name) for name in names]
    states = [
        one.get(place) for one in (difference.actual, difference.declared) for place in places
    ]
    return sorted({source for state in states for source in getattr(state, "made_of", ())})


def _logged(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Iterator[MovingPart]:
    """Find the tables that a foreign key refers to, or leaves, and that become unlogged or logged.

    No permanent table may refer to an unlogged one, not even for a moment.
    """
    relations = {before.referred_table, after.referred_table} - {before.relation}
    if before.definition != after.definition:
        relations.add(before.relation)
    for relation in sorted(relations):
        place = ("table", *relation)
        states = [table_state(one.get(place)) for one in (difference.actual, difference.declared)]
        if all(states) and states[0] != states[1]:
            yield MovingPart((*place, ""), *states)


def _both_ends(before: ConstraintRecord, difference: Difference) -> list[MovingPart]:
    """Find the columns at both ends of a foreign key, if they change their types together."""
    schema, table = before.referred_table
    found: list[MovingPart] = []
    for here, there in zip(before.columns, before.referred_columns, strict=True):
        one = _retyped(before.relation, [here], difference)
        other = _retyped((schema, table), [there], difference)
        if one and other:
            found += [*one, *other]
    return found


def _generic(
    before: ConstraintRecord, after: ConstraintRecord, difference: Difference
) -> Iterator[MovingPart]:
    """Find the columns at either end whose types change, be it a length, where one is generic.

    The server makes such a foreign key anew without looking at the rows, and then asks for a cast
    to the type of its operator, `anyenum` for example, which there is none to (`could not find
    cast`, seen on 15 to 18).
    """
    if not (before.is_generic or after.is_generic):
        return
    for relation, names in (
        (before.relation, before.columns),
        ((before.referred_table[0], before.referred_table[1]), before.referred_columns),
    ):
        yield from _changed(relation, names, difference, among=("type", "collation"))


def _changed(
    relation: tuple[str, str],
    names: Iterable[str],
    difference: Difference,
    *,
    among: Sequence[str] = _PROPERTIES,
) -> Iterator[MovingPart]:
    for name in names:
        place = ("column", *relation, name)
        old, new = difference.actual.get(place), difference.declared.get(place)
        if any(getattr(old, one, None) != getattr(new, one, None) for one in among):
            yield MovingPart(place, column_state(old), column_state(new))


def _retyped(
    relation: tuple[str, str], names: Iterable[str], difference: Difference
) -> list[MovingPart]:
    """Find the columns of other types, among those of these names."""
    found = []
    for place in sorted(difference.differing):
        if place[:3] == ("column", *relation) and place[3] in names:
            old, new = difference.actual.get(place), difference.declared.get(place)
            if is_retyped(old, new):
                found.append(MovingPart(place, column_state(old), column_state(new)))
    return found


def _definitions(place: Identity, difference: Difference) -> tuple[str, str]:
    old, new = difference.actual.get(place), difference.declared.get(place)
    return getattr(old, "definition", ""), getattr(new, "definition", "")
