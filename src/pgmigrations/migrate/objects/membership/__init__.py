"""The kind "membership": of a role in a role."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.membership.catalog import MembershipRecord, read
from pgmigrations.migrate.objects.membership.declared import copied, declared, phrase
from pgmigrations.migrate.objects.membership.ops import GrantRole, RevokeRole

KIND: Kind[MembershipRecord] = Kind(
    name="membership",
    read=read,
    operations=(GrantRole, RevokeRole),
    comparison=Comparison(phrase, declared, copied=copied),
)
