"""Making a pair that fails smaller, as long as it fails in the same way."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from functools import partial
from typing import Any, TypeAlias

from tests.fuzz.draw_pair import Pair
from tests.fuzz.hint import holding
from tests.fuzz.run_pair import PairFailed
from tests.fuzz.spec import Place, SchemaSpec, TableSpec, changed
from tests.fuzz.valid import valid

Step: TypeAlias = Callable[[Pair], Pair]

OBJECTS = ("tables", "sequences", "enums")
PARTS = ("columns", "uniques", "foreign_keys", "checks", "exclusions", "indexes")


def signature(failure: PairFailed) -> str:
    """Say how a pair failed, without the names of the objects."""
    lines = failure.message.strip().splitlines()
    first = (lines[0] if lines else "").partition(": the models declare ")[0]
    kind, _, rest = first.partition(": ")
    words = [word for word in rest.split() if re.fullmatch(r"[A-Za-z]{2,}[:,.;()]*", word)]
    return f"{failure.step}: {kind}: {' '.join(words[:20])}"


def shrunk(
    pair: Pair, failure: PairFailed, run: Callable[[Pair], None], seconds: float, major: int
) -> tuple[Pair, PairFailed]:
    """Take away from both schemas, and undo edits, while the pair fails in the same way.

    Args:
        pair: A pair that fails.
        failure: How it does.
        run: Runs a pair.
        seconds: How long to try, at most.
        major: The server's major version.
    """
    end = time.monotonic() + seconds
    wanted = signature(failure)
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for step in list(_steps(pair)):
            found = step(pair)
            before = valid(found.before, major)
            after = holding(before, valid(found.after, major))
            small = replace(found, before=before, after=after)
            if small.before == small.after or _size(small) >= _size(pair):
                continue
            if time.monotonic() > end:
                return pair, failure
            try:
                run(small)
            except PairFailed as other:
                if signature(other) == wanted:
                    pair, failure, is_smaller = small, other, True
    return pair, failure


def described(pair: Pair) -> str:
    """Write a pair so that it can be put into a test."""
    created = ", is_created=True" if pair.is_created else ""
    return f"Pair(\nbefore={_short(pair.before)},\nafter={_short(pair.after)}{created})"


def _size(pair: Pair) -> tuple[int, int]:
    """Measure a pair: what it describes, then how far its schemas are apart."""
    before, after = _short(pair.before), _short(pair.after)
    return len(before) + len(after), sum(
        one != two for one, two in zip(before, after, strict=False)
    )


def _steps(pair: Pair) -> Iterator[Step]:
    """Yield what may be tried, the larger bites first."""
    for attribute in OBJECTS:
        every = (*getattr(pair.before, attribute), *getattr(pair.after, attribute))
        for place in dict.fromkeys(one.place for one in every):
            yield _both(partial(_without, attribute=attribute, place=place))
            yield _undone(attribute, place)
    for table in pair.before.tables:
        for field in fields(TableSpec):
            yield _table_undone(table.place, field.name)
    for table in (*pair.before.tables, *pair.after.tables):
        for attribute in PARTS:
            for name in [one.name for one in getattr(table, attribute)]:
                yield _both_tables(table.place, attribute, name, None)
                yield _table_undone(table.place, attribute, name)
    for table in (*pair.before.tables, *pair.after.tables):
        for key, value in _unusual(table):
            yield _both(partial(_with, place=table.place, changes={key: value}))
        for attribute in PARTS:
            for part in getattr(table, attribute):
                for unusual in _unusual(part):
                    yield _both_tables(table.place, attribute, part.name, unusual)


def _both(edit: Callable[[SchemaSpec], SchemaSpec]) -> Step:
    return lambda pair: replace(pair, before=edit(pair.before), after=edit(pair.after))


def _both_tables(
    place: Place, attribute: str, name: str, property_: tuple[str, Any] | None
) -> Step:
    """Drop a part of a table from both schemas, or set a property of it."""

    def edit(spec: SchemaSpec) -> SchemaSpec:
        table = spec.table(place)
        if table is None:
            return spec
        parts = getattr(table, attribute)
        if property_ is None:
            parts = tuple(one for one in parts if one.name != name)
        else:
            key, value = property_
            parts = tuple(changed(one, {key: value}) if one.name == name else one for one in parts)
        return _with(spec, place, {attribute: parts})

    return _both(edit)


def _undone(attribute: str, place: Place) -> Step:
    """Give an object of the second schema the description that it has in the first."""

    def step(pair: Pair) -> Pair:
        old = [one for one in getattr(pair.before, attribute) if one.place == place]
        parts = getattr(pair.after, attribute)
        if not old:
            return replace(pair, after=_without(pair.after, attribute, place))
        if not any(one.place == place for one in parts):
            return replace(pair, after=changed(pair.after, {attribute: (*parts, *old)}))
        parts = tuple(old[0] if one.place == place else one for one in parts)
        return replace(pair, after=changed(pair.after, {attribute: parts}))

    return step


def _table_undone(place: Place, attribute: str, name: str = "") -> Step:
    """Undo the edits of one property of a table, or of one of its parts."""

    def step(pair: Pair) -> Pair:
        before, after = pair.before.table(place), pair.after.table(place)
        if before is None or after is None:
            return pair
        value = getattr(before, attribute)
        if name:
            old = [one for one in value if one.name == name]
            new = [one for one in getattr(after, attribute) if one.name != name]
            value = (*new, *old)
        return replace(pair, after=_with(pair.after, place, {attribute: value}))

    return step


def _unusual(one: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(one):
        if field.default is not MISSING and getattr(one, field.name) != field.default:
            yield field.name, field.default


def _without(spec: SchemaSpec, attribute: str, place: Place) -> SchemaSpec:
    kept = tuple(one for one in getattr(spec, attribute) if one.place != place)
    return changed(spec, {attribute: kept})


def _with(spec: SchemaSpec, place: Place, changes: dict[str, Any]) -> SchemaSpec:
    table = spec.table(place)
    return spec if table is None else spec.with_table(changed(table, changes))


def _short(one: Any) -> str:
    """Write a description, leaving out what is as by default."""
    if isinstance(one, tuple):
        inner = ", ".join(map(_short, one))
        return f"({inner},)" if len(one) == 1 else f"({inner})"
    if not hasattr(one, "__dataclass_fields__"):
        return repr(one)
    required = [field for field in fields(one) if field.default is MISSING]
    optional = [field for field in fields(one) if field not in required]
    parts = [_short(getattr(one, field.name)) for field in required]
    parts += [
        f"{field.name}={_short(getattr(one, field.name))}"
        for field in optional
        if getattr(one, field.name) != field.default
    ]
    return f"{type(one).__name__}({', '.join(parts)})"
