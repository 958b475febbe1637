"""The kind "domain": types with constraints and a default of their own."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.domain.alter import AlterDomain
from pgmigrations.migrate.objects.domain.catalog import DomainRecord, read
from pgmigrations.migrate.objects.domain.declared import named
from pgmigrations.migrate.objects.domain.look import reprinted
from pgmigrations.migrate.objects.domain.ops import CreateDomain, DropDomain
from pgmigrations.migrate.objects.domain.phrase import phrase

KIND: Kind[DomainRecord] = Kind(
    name="domain",
    read=read,
    operations=(CreateDomain, DropDomain, AlterDomain),
    comparison=Comparison(phrase, reprinted=reprinted, named=named),
)
