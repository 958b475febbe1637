"""What stands beside the tables in a state, when some of the tables are made anew.

An extension, a domain or an enum is there because tables use it, so that one that came or went, or
changed, may bring one along, be the last to use it, or be one of several.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.snapshot import Identity
from pgmigrations.migrate.core.state import State

Place: TypeAlias = tuple[str, str]
Lines: TypeAlias = Mapping[str, Sequence[str]]


class NotSure(Exception):
    """Only all tables together will tell."""


@dataclass(frozen=True)
class _Beside:
    """One object.

    Attributes:
        kind: Its kind.
        line: Its line of the state.
        row: What the line says.
        name: Its schema and name.
    """

    kind: AnyKind
    line: str
    row: Sequence[Any]
    name: Place

    @property
    def places(self) -> list[list[str]]:
        """(schema, table, column) of what uses it."""
        return list(self.row[self._at])

    @property
    def definition(self) -> list[Any]:
        """All that the row says but what uses it."""
        return [value for number, value in enumerate(self.row) if number != self._at]

    def used_at(self, places: list[list[str]]) -> _Beside:
        """Return it with other places."""
        places = sorted(places)
        if places == sorted(self.places):
            return self
        row = [*self.row[: self._at], places, *self.row[self._at + 1 :]]
        return _Beside(self.kind, json.dumps(row, ensure_ascii=False), row, self.name)

    @property
    def _at(self) -> int:
        at = self.kind.read.places_at
        assert at is not None
        return at


def beside_tables(
    last: State,
    made: State,
    tables: Collection[Place],
    renewed: Collection[Place],
    declared: Collection[Place],
) -> tuple[Lines, Lines]:
    """Say what stands beside the tables when those that were made are put into the last state.

    Args:
        last: The last state.
        made: What the server has made of some tables.
        tables: (schema, name) of all tables of both.
        renewed: Those of the last state that are no longer, or were made anew.
        declared: (schema, name) of the types and sequences that the models create themselves.

    Returns:
        The lines of the last state that go, and those that come, by kind.

    Raises:
        NotSure: It is not what it was in the last state, or nothing tells what it was made for.
    """
    old, new = _beside(last, tables), _beside(made, tables)
    if any(old[key].definition != one.definition for key, one in new.items() if key in old):
        raise NotSure
    lasting = {key for key, one in old.items() if key in new or one.name in declared}
    left = _left(old, lasting, renewed)
    gone = {*renewed, *(one.name for key, one in old.items() if key not in left)}
    result = dict(new)
    for key, one in left.items():
        places = [place for place in one.places if _table_of(place) not in gone]
        if key in new:
            places += [place for place in new[key].places if place not in places]
        result[key] = one.used_at(places)
    return (
        _by_kind(one for key, one in old.items() if result.get(key) is not one),
        _by_kind(one for key, one in result.items() if old.get(key) is not one),
    )


def _left(
    old: Mapping[Identity, _Beside], lasting: Collection[Identity], renewed: Collection[Place]
) -> dict[Identity, _Beside]:
    """Leave out what only tables that are renewed have used, and what only that has used."""
    left = dict(old)
    gone = set(renewed)
    while unused := {
        key: one
        for key, one in left.items()
        if key not in lasting and all(_table_of(place) in gone for place in one.places)
    }:
        if not all(one.places for one in unused.values()):
            raise NotSure
        gone |= {one.name for one in unused.values()}
        left = {key: one for key, one in left.items() if key not in unused}
    return left


def _beside(state: State, tables: Collection[Place]) -> dict[Identity, _Beside]:
    found: dict[Identity, _Beside] = {}
    for kind in state.kinds:
        if kind.read.places_at is not None:
            for line in state.lines.get(kind.name, ()):
                row = json.loads(line)
                for record in kind.read.records([row], state.scope):
                    name = (record.schema, record.name)
                    if record.relation is None and name not in tables:
                        found[record.identity] = _Beside(kind, line, row, name)
    return found


def _table_of(place: Sequence[str]) -> Place:
    return (place[0], place[1])


def _by_kind(found: Iterable[_Beside]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for one in found:
        lines.setdefault(one.kind.name, []).append(one.line)
    return lines
