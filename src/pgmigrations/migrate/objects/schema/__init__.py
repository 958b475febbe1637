"""The kind "schema": the schemas that tables and types of the models are in."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.schema.catalog import SchemaRecord, read
from pgmigrations.migrate.objects.schema.declared import declared, phrase
from pgmigrations.migrate.objects.schema.ops import CreateSchema, DropSchema

KIND: Kind[SchemaRecord] = Kind(
    name="schema",
    read=read,
    operations=(CreateSchema, DropSchema),
    comparison=Comparison(phrase, declared),
)
