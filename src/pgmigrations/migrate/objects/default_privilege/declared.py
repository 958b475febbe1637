"""Default privileges as the models declare them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import MetaData

from pgmigrations.declare import DefaultPrivilege, declarations
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.privilege import PrivilegeStep, Sum, steps
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.objects.default_privilege import ops
from pgmigrations.migrate.objects.default_privilege.catalog import DefaultPrivilegeRecord, named


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[DefaultPrivilegeRecord],
    made: Snapshot[DefaultPrivilegeRecord],
) -> Iterator[DefaultPrivilegeRecord]:
    """Yield what the declarations add up to for each pair of roles."""
    total: Sum[tuple[str, str, str, str]] = Sum()
    for metadata in metadatas:
        for one in declarations(metadata, DefaultPrivilege):
            place = (one.schema or "", one.on, one.for_role, one.to)
            total.add(place, one.privileges, grantable=one.grantable)
    for place, privileges, grantable in total:
        yield named(*place, privileges, grantable)


def phrase(change: Change[DefaultPrivilegeRecord], difference: Difference) -> list[Operation]:
    """Express a difference as operations."""
    return [_operation(change.record, step) for step in steps(change.before, change.after)]


def copied(record: DefaultPrivilegeRecord) -> list[str]:
    """Return what makes the privileges in a copy of the database."""
    return [
        statement
        for step in steps(None, record)
        for statement in _operation(record, step).statements()
    ]


def _operation(
    record: DefaultPrivilegeRecord, step: PrivilegeStep
) -> ops.GrantDefaultPrivileges | ops.RevokeDefaultPrivileges:
    place = (step.privileges, record.on, record.grantee)
    schema = record.place or None
    if step.is_grant:
        return ops.GrantDefaultPrivileges(
            *place,
            for_role=record.for_role,
            grantable=step.grantable,
            option_only=step.option_only,
            schema=schema,
        )
    return ops.RevokeDefaultPrivileges(
        *place,
        for_role=record.for_role,
        was_grantable=step.grantable,
        option_only=step.option_only,
        schema=schema,
    )
