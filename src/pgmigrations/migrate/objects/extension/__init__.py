"""The kind "extension": `CREATE EXTENSION` and what follows from it."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.extension.catalog import ExtensionRecord, read
from pgmigrations.migrate.objects.extension.declared import (
    created,
    declared,
    offered,
    phrase,
)
from pgmigrations.migrate.objects.extension.ops import (
    AlterExtension,
    CreateExtension,
    DropExtension,
)

KIND: Kind[ExtensionRecord] = Kind(
    name="extension",
    read=read,
    operations=(CreateExtension, DropExtension, AlterExtension),
    comparison=Comparison(phrase, declared, created, offered),
)
