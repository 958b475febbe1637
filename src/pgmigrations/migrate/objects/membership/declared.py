"""Memberships as the models declare them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import MetaData

from pgmigrations.declare import Role, declarations
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.objects.membership.catalog import MembershipRecord, named
from pgmigrations.migrate.objects.membership.ops import GrantRole, RevokeRole


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[MembershipRecord],
    made: Snapshot[MembershipRecord],
) -> Iterator[MembershipRecord]:
    """Yield the memberships that the declared roles shall have."""
    roles = {role.name: role for metadata in metadatas for role in declarations(metadata, Role)}
    for role in roles.values():
        for group in role.member_of:
            yield named(group, role.name, role.inherit)


def phrase(change: Change[MembershipRecord], difference: Difference) -> list[Operation]:
    """Express a difference as an operation."""
    record, before, after = change.record, change.before, change.after
    if after is None:
        return [
            RevokeRole(
                record.group,
                record.member,
                was_inherited=record.inherits,
                was_admin=record.is_admin,
            )
        ]
    was = before.inherits if before is not None else None
    return [GrantRole(record.group, record.member, inherit=after.inherits, was_inherited=was)]


def copied(record: MembershipRecord) -> list[str]:
    """Return what makes a membership on another server."""
    granting = GrantRole(record.group, record.member, inherit=record.inherits)
    return granting.guarded_statements()
