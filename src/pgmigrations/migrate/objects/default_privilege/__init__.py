"""The kind "default_privilege": what a role may do with what another will make."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.default_privilege.catalog import DefaultPrivilegeRecord, read
from pgmigrations.migrate.objects.default_privilege.declared import copied, declared, phrase
from pgmigrations.migrate.objects.default_privilege.ops import (
    GrantDefaultPrivileges,
    RevokeDefaultPrivileges,
)

KIND: Kind[DefaultPrivilegeRecord] = Kind(
    name="default_privilege",
    read=read,
    operations=(GrantDefaultPrivileges, RevokeDefaultPrivileges),
    comparison=Comparison(phrase, declared, copied=copied),
)
