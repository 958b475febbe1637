"""The kind "role": who may do what, known to the whole server."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.role.alter import AlterRole
from pgmigrations.migrate.objects.role.catalog import RoleRecord, read
from pgmigrations.migrate.objects.role.declared import copied, declared, phrase
from pgmigrations.migrate.objects.role.ops import CreateRole, DropRole

KIND: Kind[RoleRecord] = Kind(
    name="role",
    read=read,
    operations=(CreateRole, DropRole, AlterRole),
    comparison=Comparison(phrase, declared, copied=copied),
)
