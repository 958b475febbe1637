"""What differs, as plain values: object, property, declared, actual."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pgmigrations.migrate.core.renamed import Renamed, Step
from pgmigrations.migrate.core.snapshot import Change, Identity, Record

# They say which object it is, not how it is.
_PLACE = frozenset({"schema", "table", "name"})


@dataclass(frozen=True)
class PropertyDifference:
    """One property of an object.

    Attributes:
        name: The property's.
        declared: What the models say; None where they do not declare the object.
        actual: What the database has; None where it lacks the object.
    """

    name: str
    declared: Any
    actual: Any


@dataclass(frozen=True)
class ObjectDifference:
    """One object that differs.

    Attributes:
        kind: Such as `index`.
        schema: Its schema; None for what belongs to no schema.
        table: The table that it is a part of; None for what stands by itself.
        name: Its name, unquoted.
        change: `added` by the models, `removed` from them, `changed` in some properties, or
            `unmade`: declared and on the server, and no revision makes it.
        properties: What differs; of an object that comes or goes, all that it says.
    """

    kind: str
    schema: str | None
    table: str | None
    name: str
    change: str
    properties: tuple[PropertyDifference, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `json.dumps()` takes."""
        return dataclasses.asdict(self)


def report_of(
    changes: Iterable[Change[Any]], unmade: Collection[Identity] = ()
) -> list[ObjectDifference]:
    """Say of each change which object it is about, and what differs there.

    Args:
        changes: What differs.
        unmade: The identities of what comes into a revision though the server has it.
    """
    return [_object(change, change.record.identity in unmade) for change in changes]


def renames_of(renamed: Renamed | None) -> list[ObjectDifference]:
    """Say of each rename that the models hint at which name changes."""
    return [_renamed(step) for step in renamed.steps] if renamed is not None else []


def changed_properties(change: Change[Any]) -> list[str]:
    """Name the properties in which the two states of an object differ."""
    return [one.name for one in _properties(change)]


def described(change: Change[Any]) -> str:
    """Say in words what differs, property by property, in one line."""
    before, after = change.before, change.after
    if before is None:
        return f"the models declare it, the database lacks it ({after})"
    if after is None:
        return f"the database has it, the models do not declare it ({before})"
    return "; ".join(
        f"{one.name}: the models declare {one.declared!r}, the database has {one.actual!r}"
        for one in _properties(change)
    )


def named(record: Record) -> str:
    """Say which object it is.

    Example:
        >>> named(column)
        'column public.users.email'
    """
    place: Sequence[str] = record.relation or ((record.schema,) if record.schema else ())
    return f"{record.kind} {'.'.join([*place, record.name])}"


def _renamed(step: Step) -> ObjectDifference:
    part = step.kind.renaming.part if step.kind.renaming is not None else ""
    schema, *inside = step.place
    return ObjectDifference(
        step.kind.name,
        schema,
        inside[0] if inside and not part else None,
        inside[-1] if part else step.new,
        "changed",
        (PropertyDifference(part or "name", step.new, step.old),),
    )


def _object(change: Change[Any], is_unmade: bool) -> ObjectDifference:
    record: Record = change.record
    how = "added" if change.before is None else "removed" if change.after is None else "changed"
    if is_unmade and how == "added":
        how = "unmade"
    relation = record.relation
    return ObjectDifference(
        record.kind,
        record.schema or None,
        None if relation is None else relation[1],
        record.name,
        how,
        tuple(_properties(change)),
    )


def _properties(change: Change[Any]) -> Iterable[PropertyDifference]:
    before, after = change.before, change.after
    for field in dataclasses.fields(change.record):
        if not field.compare or field.name in _PLACE:
            continue
        actual = None if before is None else getattr(before, field.name)
        declared = None if after is None else getattr(after, field.name)
        says_something = (before is not None and after is not None) or bool(actual or declared)
        if actual != declared and says_something:
            yield PropertyDifference(field.name, declared, actual)
