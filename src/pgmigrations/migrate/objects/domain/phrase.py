"""How a difference of domains is phrased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.domain.alter import AlterDomain
from pgmigrations.migrate.objects.domain.catalog import DomainRecord
from pgmigrations.migrate.objects.domain.declared import said_constraints
from pgmigrations.migrate.objects.domain.definition import NOT_VALID, base
from pgmigrations.migrate.objects.domain.ops import CreateDomain, DropDomain


class BaseTypeChanged(PgMigrationsError):
    """A domain over another type, which PostgreSQL has no statement for."""

    def __init__(self, before: DomainRecord, after: DomainRecord) -> None:
        one, other = (base(record.type, record.collation) for record in (before, after))
        super().__init__(
            f"Domain {before.schema}.{before.name} is over {one}, and the models declare it over "
            f"{other}; PostgreSQL cannot change that",
            "Give the new domain another name: its columns are converted then, and the old domain "
            "is dropped when nothing uses it",
        )
        self.before = before
        self.after = after


def phrase(change: Change[DomainRecord], difference: Difference) -> list[Operation]:
    """Express a difference as operations.

    Raises:
        BaseTypeChanged: Type or collation differ.
    """
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [_creation(after, difference)]
    if after is None:
        schema = difference.scope.shown_schema(before.schema)
        making = _creation(before, difference.reversed())
        return [DropDomain(before.name, schema=schema, making=making)]
    if (before.type, before.collation) != (after.type, after.collation):
        raise BaseTypeChanged(before, after)
    old = _state(before, dict(before.constraints))
    new = _state(after, said_constraints(after, difference))
    printed = _state(after, dict(after.constraints))
    for key, text in printed.items():
        if key[0] == "constraints" and old.get(key) == f"{text}{NOT_VALID}":
            # In the server's words it needs only to be validated.
            new[key] = text
    changed = [key for key in [*old, *printed] if old.get(key) != printed.get(key)]
    return [
        _altered(after, old, new, keys, difference)
        for keys in _together(dict.fromkeys(changed), old, new)
        if keys
    ]


def _creation(record: DomainRecord, difference: Difference) -> CreateDomain:
    return CreateDomain(
        record.name,
        record.type,
        collation=record.collation,
        default=record.default,
        not_null=record.not_null,
        constraints=said_constraints(record, difference) or None,
        comment=record.comment,
        schema=difference.scope.shown_schema(record.schema),
    )


def _state(record: DomainRecord, constraints: Mapping[str, str]) -> dict[tuple[str, ...], Any]:
    """Return every property that can change, the constraints each by itself."""
    state: dict[tuple[str, ...], Any] = {
        ("default",): record.default,
        ("not_null",): record.not_null,
        ("comment",): record.comment,
    }
    return state | {("constraints", name): text for name, text in constraints.items()}


def _together(
    changed: Mapping[tuple[str, ...], None],
    old: Mapping[tuple[str, ...], Any],
    new: Mapping[tuple[str, ...], Any],
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Part what makes the domain narrower, which comes after the tables, from the rest."""
    narrower = [
        key
        for key in changed
        if (key == ("not_null",) and new[key])
        or (key[0] == "constraints" and not old.get(key) and new.get(key))
    ]
    return [key for key in changed if key not in narrower], narrower


def _altered(
    record: DomainRecord,
    old: Mapping[tuple[str, ...], Any],
    new: Mapping[tuple[str, ...], Any],
    keys: list[tuple[str, ...]],
    difference: Difference,
) -> AlterDomain:
    def part(state: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in keys:
            if key[0] == "constraints":
                found.setdefault("constraints", {})[key[1]] = state.get(key, "")
            else:
                found[key[0]] = state[key]
        return found

    schema = difference.scope.shown_schema(record.schema)
    return AlterDomain(record.name, part(new), existing=part(old), schema=schema)
