"""The kind "grant": what a role may do with what is there."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.grant.catalog import GrantRecord, read
from pgmigrations.migrate.objects.grant.declared import copied, declared, phrase
from pgmigrations.migrate.objects.grant.ops import Grant, Revoke

KIND: Kind[GrantRecord] = Kind(
    name="grant",
    read=read,
    operations=(Grant, Revoke),
    comparison=Comparison(phrase, declared, copied=copied),
)
