"""What must be made anew when some tables of the models have changed, and what may stay."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import MetaData, Table

from pgmigrations.migrate.core.beside_tables import NotSure, beside_tables
from pgmigrations.migrate.core.declared import Part, Place
from pgmigrations.migrate.core.fingerprint import Fingerprint
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.remembered import Entry
from pgmigrations.migrate.core.snapshot import Record, Scope
from pgmigrations.migrate.core.state import State

_MOST = 0.5
"""The share of the tables up to which making a part pays."""
# What the server adds a number to, where the name that it would choose is taken.
_CHOSEN = ("_pkey", "_key", "_excl", "_idx", "_seq")


def affected(
    last: Entry, prints: Fingerprint, metadatas: Sequence[MetaData], scope: Scope
) -> Part | None:
    """Say which tables must be made, so that the rest of the last state still holds.

    Those are the tables that have changed, and those that speak of one that has changed, came or
    went: a foreign key may no longer be possible, a name mean something else.

    Returns:
        None where it is not sure, or would not pay.
    """
    before, after = last.prints.tables, prints.tables
    if not before or not after or last.prints.rest != prints.rest:
        return None
    if any(_inherits(table) for table in _tables(metadatas)):
        return None
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    names = {name for _, name in changed}
    names |= {
        record.name
        for _, record in _speaking_of(last.state, names)
        if record.relation in changed and record.takes_relation_name
    }
    if any(_has_number(name) or not _is_plain(name) for name in names):
        return None
    speaking = {place_of(record) for _, record in _speaking_of(last.state, names)} & set(before)
    whole = (changed | speaking) & set(after)
    places = {_table_place(table, scope): table for table in _tables(metadatas)}
    supporting = {
        _table_place(key.column.table, scope)
        for place in whole
        for key in places[place].foreign_keys
    } - whole
    if len(whole | supporting) > len(after) * _MOST:
        return None
    return Part(frozenset(whole), frozenset(supporting))


def only_printed(relations: Iterable[Place]) -> Part:
    """Return the part that has just the columns of some tables."""
    return Part(frozenset(), frozenset(relations))


def put_together(
    last: Entry, made: State, part: Part, prints: Fingerprint, declared: Collection[Place]
) -> State | None:
    """Put the tables that were made into the last state, with what they use.

    Args:
        last: The last state.
        made: What the server has made of the part.
        part: The tables that were made.
        prints: Of the models as they are.
        declared: (schema, name) of the types and sequences that the models create themselves.

    Returns:
        None where a name is taken twice, or something else is not sure, which only all tables
        together would show.
    """
    tables = {*last.prints.tables, *prints.tables}
    renewed = part.whole | (set(last.prints.tables) - set(prints.tables))
    try:
        less, more = beside_tables(last.state, made, tables, renewed, declared)
    except NotSure:
        return None
    dropped: dict[str, set[str]] = {name: set(lines) for name, lines in less.items()}
    names = {name for _, name in renewed}
    for kind, line, record in _lines_with(last.state, names):
        if place_of(record) in renewed:
            dropped.setdefault(kind.name, set()).add(line)
    added: dict[str, list[str]] = {kind.name: [*more.get(kind.name, ())] for kind in made.kinds}
    taken: set[Place] = set()
    for kind, line, record in _parsed(made, made.lines):
        if place_of(record) in part.whole:
            added[kind.name].append(line)
            if record.takes_relation_name:
                taken.add((record.schema, record.name))
    if any(_has_number(name) for _, name in taken):
        return None
    kept = {
        name: [line for line in lines if line not in dropped.get(name, ())]
        for name, lines in last.state.lines.items()
    }
    rest = State(made.kinds, made.scope, kept)
    for _, _, record in _lines_with(rest, {name for _, name in taken}):
        if record.takes_relation_name and (record.schema, record.name) in taken:
            return None
    return State(
        made.kinds, made.scope, {name: [*lines, *added[name]] for name, lines in kept.items()}
    )


def _tables(metadatas: Sequence[MetaData]) -> Iterator[Table]:
    for metadata in metadatas:
        yield from metadata.tables.values()


def _table_place(table: Table, scope: Scope) -> Place:
    return (table.schema or scope.default_schema, table.name)


def place_of(record: Record) -> Place:
    """Return the table that a record is of, itself where it is one."""
    return record.relation or (record.schema, record.name)


def _inherits(table: Table) -> bool:
    return "postgresql_inherits" in dict(table.dialect_kwargs)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def _has_number(name: str) -> bool:
    """Tell of a name that the server may have chosen because another was taken."""
    return name.rstrip("0123456789") != name and name.rstrip("0123456789").endswith(_CHOSEN)


def _speaking_of(state: State, names: Collection[str]) -> Iterator[tuple[AnyKind, Record]]:
    """Yield the records in which one of the names stands as a word, wherever."""
    found = {
        kind: [line for line in lines if any(_is_word_of(line, name) for name in names)]
        for kind, lines in state.lines.items()
    }
    for kind, _, record in _parsed(state, found):
        yield kind, record


def _is_word_of(line: str, name: str) -> bool:
    start = line.find(name)
    while start >= 0:
        end = start + len(name)
        if not _continues(line[start - 1 : start]) and not _continues(line[end : end + 1]):
            return True
        start = line.find(name, end)
    return False


def _continues(sign: str) -> bool:
    return sign.isalnum() or sign in ("_", "$")


def _lines_with(state: State, names: Collection[str]) -> Iterator[tuple[AnyKind, str, Record]]:
    """Yield the lines that have one of the names as a value, with their records."""
    values = [json.dumps(name, ensure_ascii=False) for name in names]
    found = {
        kind: [line for line in lines if any(value in line for value in values)]
        for kind, lines in state.lines.items()
    }
    yield from _parsed(state, found)


def _parsed(
    state: State, lines: Mapping[str, Sequence[str]]
) -> Iterator[tuple[AnyKind, str, Record]]:
    for kind in state.kinds:
        for line in lines.get(kind.name, ()):
            for record in kind.read.records([json.loads(line)], state.scope):
                yield kind, line, record
