"""Roles as the models declare them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import MetaData

from pgmigrations.declare import Role, declarations
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.objects.role.alter import AlterRole
from pgmigrations.migrate.objects.role.catalog import (
    ATTRIBUTES,
    RoleRecord,
    as_compared,
    properties_of,
)
from pgmigrations.migrate.objects.role.ops import CreateRole, DropRole
from pgmigrations.migrate.objects.role.statement import DEFAULTS, creation


class ConflictingRole(PgMigrationsError):
    """Two declarations of one role that differ."""

    def __init__(self, first: Role, second: Role) -> None:
        super().__init__(
            f"Role {first.name} is declared in one way at {first.declared_at} and in another at "
            f"{second.declared_at}",
            "Declare it once",
        )


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[RoleRecord],
    made: Snapshot[RoleRecord],
) -> Iterator[RoleRecord]:
    """Yield the roles that the models declare.

    Raises:
        ConflictingRole: One name stands for two definitions.
    """
    seen: dict[str, Role] = {}
    for metadata in metadatas:
        for role in declarations(metadata, Role):
            known = seen.setdefault(role.name, role)
            if known != role:
                raise ConflictingRole(known, role)
    for role in seen.values():
        attributes = {name: getattr(role, name) for name in ATTRIBUTES}
        yield RoleRecord(
            "",
            role.name,
            **attributes,
            connection_limit=role.connection_limit,
            settings=as_compared(role.settings.items()),
            comment=role.comment,
        )


def phrase(change: Change[RoleRecord], difference: Difference) -> list[Operation]:
    """Express a difference as an operation."""
    before, after = change.before, change.after
    if after is None:
        # None of them is ours to drop, but the proof of a way back may find one left.
        assert before is not None
        return [
            DropRole(before.name, unless_used=True, making=CreateRole(before.name, **_said(before)))
        ]
    if before is None:
        return [CreateRole(after.name, **_said(after))]
    old, new = properties_of(before), properties_of(after)
    changed: dict[str, Any] = {}
    existing: dict[str, Any] = {}
    for key in new:
        if key == "settings":
            names = sorted(
                name for name in {*old[key], *new[key]} if old[key].get(name) != new[key].get(name)
            )
            if names:
                changed[key] = {name: new[key].get(name) for name in names}
                existing[key] = {name: old[key].get(name) for name in names}
        elif old[key] != new[key]:
            changed[key], existing[key] = new[key], old[key]
    return [AlterRole(after.name, changed, existing=existing)]


def copied(record: RoleRecord) -> list[str]:
    """Return what makes a role on another server."""
    return [CreateRole.guarded(record.name, [*creation(record.name, _said(record))])]


def _said(record: RoleRecord) -> Mapping[str, Any]:
    found = properties_of(record)
    return {key: value for key, value in found.items() if value != DEFAULTS[key]}
