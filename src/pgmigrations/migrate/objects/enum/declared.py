"""Enumerated types as the models use them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Enum, MetaData

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.core.types import placed_types
from pgmigrations.migrate.objects.enum.catalog import EnumRecord
from pgmigrations.migrate.objects.enum.label_ops import AddEnumValue
from pgmigrations.migrate.objects.enum.ops import CreateEnum, DropEnum
from pgmigrations.migrate.objects.enum.replace import ReplaceEnum


class ConflictingEnum(PgMigrationsError):
    """Two columns that give one enum different labels."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            f"Enum {name} has different labels in {first} and in {second}",
            "Use one Enum object for both, or two names",
        )


class UnnamedEnum(PgMigrationsError):
    """An enum that PostgreSQL could not call anything."""

    def __init__(self, column: str) -> None:
        super().__init__(f"The enum of column {column} has no name", "Add name= to the Enum")


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[EnumRecord],
    made: Snapshot[EnumRecord],
) -> Iterator[EnumRecord]:
    """Yield every native enum that a column of the models has."""
    places: dict[EnumRecord, str] = {}
    by_name: dict[tuple[str, ...], EnumRecord] = {}
    for type_, place in _enums(metadatas):
        if not type_.name:
            raise UnnamedEnum(place)
        record = EnumRecord(type_.schema or scope.default_schema, type_.name, tuple(type_.enums))
        known = by_name.setdefault(record.identity, record)
        if known != record:
            raise ConflictingEnum(type_.name, places[known], place)
        places.setdefault(record, place)
    # SQLAlchemy lists a metadata's enums in no order; two people's revisions should look alike.
    yield from sorted(by_name.values(), key=lambda record: record.identity)


def _enums(metadatas: Sequence[MetaData]) -> Iterator[tuple[Enum, str]]:
    for type_, place in placed_types(metadatas):
        if isinstance(type_, Enum):
            yield type_, place


def phrase(change: Change[EnumRecord], difference: Difference) -> list[Operation]:
    """Express a difference: labels are added one by one, and only what must go rebuilds the type.

    Adding comes first, before the tables that may use the new label, and a rebuild after them,
    when nothing uses an old one any more.
    """
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [
            CreateEnum(
                after.name, list(after.labels), schema=difference.scope.shown_schema(after.schema)
            )
        ]
    schema = difference.scope.shown_schema(before.schema)
    if after is None:
        return [DropEnum(before.name, schema=schema, labels=before.labels)]
    operations: list[Operation] = []
    labels = list(before.labels)
    losing = [label for label in labels if label not in after.labels]
    if losing and not _are_kept(before, difference):
        # Their rows may be those that hold the labels.
        losing = []
    for position, label in enumerate(after.labels):
        if label not in labels:
            existing = tuple(labels)
            neighbour = _insert(labels, label, after.labels[:position])
            operations.append(
                AddEnumValue(
                    before.name,
                    label,
                    **neighbour,
                    schema=schema,
                    # Once the first is committed, the others may be, too.
                    losing=losing if losing and not operations else None,
                    existing=existing,
                )
            )
    if tuple(labels) != after.labels:
        operations.append(ReplaceEnum(before.name, labels, list(after.labels), schema=schema))
    return operations


def _are_kept(record: EnumRecord, difference: Difference) -> bool:
    """Tell whether all columns of the type stay, and stay of the type."""
    for place in record.used_by:
        old, new = (
            state.get(("column", *place)) for state in (difference.actual, difference.declared)
        )
        if old is not None and (new is None or new.type != old.type):
            return False
    return True


def _insert(labels: list[str], label: str, preceding: Sequence[str]) -> dict[str, str]:
    """Put a label behind the one that it follows, and say where that is."""
    if not labels:
        labels.append(label)
        return {}
    if not preceding:
        first = labels[0]
        labels.insert(0, label)
        return {"before": first}
    place = labels.index(preceding[-1]) + 1
    labels.insert(place, label)
    return {"after": preceding[-1]} if place < len(labels) - 1 else {}
