"""Schemas as the models name them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import MetaData

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.objects.schema.catalog import SchemaRecord
from pgmigrations.migrate.objects.schema.ops import CreateSchema, DropSchema


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[SchemaRecord],
    made: Snapshot[SchemaRecord],
) -> Iterator[SchemaRecord]:
    """Yield the schemas that a table or a type of the models names."""
    for name in sorted(scope.schemas - {scope.default_schema}):
        yield SchemaRecord("", name)


def phrase(change: Change[SchemaRecord], difference: Difference) -> list[Operation]:
    """Express a difference as an operation."""
    if change.after is not None:
        return [CreateSchema(change.after.name)]
    assert change.before is not None
    return [DropSchema(change.before.name)]
