"""Making a pair that fails smaller, as long as it fails in the same way."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from typing import Any

from tests.fuzz.draw_pair import Pair
from tests.fuzz.run_pair import PairFailed
from tests.fuzz.spec import SchemaSpec, TableSpec
from tests.fuzz.valid import valid

Run = Callable[[Pair], None]
PARTS = ("columns", "uniques", "foreign_keys", "checks", "exclusions", "indexes")


def signature(failure: PairFailed) -> str:
    """Say how a pair failed, without the names of the objects."""
    first = failure.message.strip().splitlines()[0] if failure.message.strip() else ""
    if ": the models declare " in first:
        first = first.partition(": the models declare ")[0]
    kind, _, rest = first.partition(": ")
    words = [word for word in rest.split() if re.fullmatch(r"[A-Za-z]{2,}[:,.;]?", word)]
    return f"{failure.step}: {kind}: {' '.join(words[:14])}"


def shrunk(
    pair: Pair, failure: PairFailed, run: Run, seconds: float, major: int
) -> tuple[Pair, PairFailed]:
    """Take away from both schemas, and undo edits, while the pair fails in the same way."""
    end = time.monotonic() + seconds
    wanted = signature(failure)
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _candidates(pair):
            if time.monotonic() > end:
                return pair, failure
            before = valid(candidate.before, major)
            after = valid(candidate.after, major)
            small = replace(candidate, before=before, after=after)
            if before == after or small == pair or _size(small) >= _size(pair):
                continue
            try:
                run(small)
            except PairFailed as found:
                if signature(found) == wanted:
                    pair, failure, is_smaller = small, found, True
                    break
    return pair, failure


def described(pair: Pair) -> str:
    """Write a pair so that it can be put into a test."""
    after = _short(pair.after)
    return f"before = {_short(pair.before)}\nafter = {after}\nis_created = {pair.is_created}"


def _size(pair: Pair) -> int:
    return len(_short(pair.before)) + len(_short(pair.after)) + _distance(pair)


def _distance(pair: Pair) -> int:
    return 0 if pair.before == pair.after else 1


def _candidates(pair: Pair) -> Iterator[Pair]:
    before, after = pair.before, pair.after
    for attribute in ("tables", "sequences", "enums"):
        names = {one.place for one in (*getattr(before, attribute), *getattr(after, attribute))}
        for place in sorted(names):
            yield replace(
                pair,
                before=_without(before, attribute, place),
                after=_without(after, attribute, place),
            )
            yield replace(pair, after=_reverted(before, after, attribute, place))
            yield replace(pair, before=_reverted(after, before, attribute, place))
    for table in before.tables + after.tables:
        for attribute in PARTS:
            for name in {one.name for one in getattr(table, attribute)}:
                yield replace(
                    pair,
                    before=_without_part(before, table, attribute, name),
                    after=_without_part(after, table, attribute, name),
                )
    for table in before.tables:
        other = after.table(table.place)
        if other is not None and other != table:
            yield from _table_reverts(pair, table, other)
    yield from _plain(pair)


def _table_reverts(pair: Pair, before: TableSpec, after: TableSpec) -> Iterator[Pair]:
    """Undo edits of one table, one property at a time."""
    for field in fields(TableSpec):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        changed = replace(after, **{field.name: old})
        yield replace(pair, after=pair.after.with_table(changed))
        if field.name in PARTS:
            parts = {one.name: one for one in old}
            for one in new:
                if one.name in parts and parts[one.name] != one:
                    mixed = tuple(parts[one.name] if x == one else x for x in new)
                    changed = replace(after, **{field.name: mixed})
                    yield replace(pair, after=pair.after.with_table(changed))


def _plain(pair: Pair) -> Iterator[Pair]:
    """Set properties of both schemas to what a property is by default."""
    for table in pair.before.tables + pair.after.tables:
        for one in _defaulted(table):
            yield replace(
                pair,
                before=_with_property(pair.before, table, "", one),
                after=_with_property(pair.after, table, "", one),
            )
        for attribute in PARTS:
            for part in getattr(table, attribute):
                for property_ in _defaulted(part):
                    named = (attribute, part.name, *property_)
                    yield replace(
                        pair,
                        before=_with_part_property(pair.before, table, named),
                        after=_with_part_property(pair.after, table, named),
                    )


def _defaulted(one: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(one):
        if field.default is not MISSING and getattr(one, field.name) != field.default:
            yield field.name, field.default


def _without(spec: SchemaSpec, attribute: str, place: tuple[str, str]) -> SchemaSpec:
    kept = tuple(one for one in getattr(spec, attribute) if one.place != place)
    return replace(spec, **{attribute: kept})


def _reverted(
    source: SchemaSpec, spec: SchemaSpec, attribute: str, place: tuple[str, str]
) -> SchemaSpec:
    """Give one object of a schema the description that it has in another."""
    wanted = [one for one in getattr(source, attribute) if one.place == place]
    present = getattr(spec, attribute)
    if not wanted or not any(one.place == place for one in present):
        return spec
    return replace(
        spec, **{attribute: tuple(wanted[0] if one.place == place else one for one in present)}
    )


def _without_part(spec: SchemaSpec, table: TableSpec, attribute: str, name: str) -> SchemaSpec:
    found = spec.table(table.place)
    if found is None:
        return spec
    kept = tuple(one for one in getattr(found, attribute) if one.name != name)
    return spec.with_table(replace(found, **{attribute: kept}))


def _with_property(
    spec: SchemaSpec, table: TableSpec, _part: str, property_: tuple[str, Any]
) -> SchemaSpec:
    found = spec.table(table.place)
    if found is None or (property_[0] in PARTS and not getattr(found, property_[0])):
        return spec
    return spec.with_table(replace(found, **{property_[0]: property_[1]}))


def _with_part_property(
    spec: SchemaSpec, table: TableSpec, named: tuple[str, str, str, Any]
) -> SchemaSpec:
    attribute, name, key, value = named
    found = spec.table(table.place)
    if found is None:
        return spec
    parts = tuple(
        replace(one, **{key: value}) if one.name == name else one
        for one in getattr(found, attribute)
    )
    return spec.with_table(replace(found, **{attribute: parts}))


def _short(one: Any) -> str:
    """Write a description, leaving out what is as by default."""
    if isinstance(one, tuple):
        inner = ", ".join(map(_short, one))
        return f"({inner},)" if len(one) == 1 else f"({inner})"
    if not hasattr(one, "__dataclass_fields__"):
        return repr(one)
    parts = [
        f"{field.name}={_short(getattr(one, field.name))}"
        for field in fields(one)
        if field.default is MISSING or getattr(one, field.name) != field.default
    ]
    return f"{type(one).__name__}({', '.join(parts)})"
