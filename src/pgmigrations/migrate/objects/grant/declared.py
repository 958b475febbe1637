"""Privileges as the models declare them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Integer, MetaData, Table
from sqlalchemy import Sequence as SqlSequence

from pgmigrations.declare import EVERY, Grant, declarations
from pgmigrations.declare.grant import Every
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.privilege import PrivilegeStep, Sum, steps
from pgmigrations.migrate.core.quoting import chosen_name
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.core.types import sequences
from pgmigrations.migrate.objects.grant import ops
from pgmigrations.migrate.objects.grant.catalog import GrantRecord, named


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[GrantRecord],
    made: Snapshot[GrantRecord],
) -> Iterator[GrantRecord]:
    """Yield what the declared grants add up to for each object and role."""
    total: Sum[tuple[str, str, str, str]] = Sum()
    for metadata in metadatas:
        for grant in declarations(metadata, Grant):
            for schema, name in _objects(grant, metadatas, scope):
                place = (schema, grant.on, name, grant.to)
                total.add(place, grant.privileges, grantable=grant.grantable)
    for place, privileges, grantable in total:
        yield named(*place, privileges, grantable)


def _objects(
    grant: Grant, metadatas: Sequence[MetaData], scope: Scope
) -> Iterator[tuple[str, str]]:
    """Yield (schema, name) of what a grant is on."""
    if grant.on == "database":
        yield ("", "")
    elif grant.on == "schema":
        for name in grant.schemas:
            yield ("", name)
    else:
        names: Sequence[str] | Every = grant.tables or grant.sequences
        if names is not EVERY:
            assert not isinstance(names, Every)
            yield from ((grant.schema or scope.default_schema, name) for name in names)
            return
        found = _tables(metadatas, scope) if grant.tables else _sequences(metadatas, scope)
        for schema, name in found:
            if grant.schema in (None, schema) and (schema, name) not in scope.ignore_relations:
                yield (schema, name)


def _tables(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[tuple[str, str]]:
    for metadata in metadatas:
        for table in metadata.tables.values():
            yield (table.schema or scope.default_schema, table.name)


def _sequences(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[tuple[str, str]]:
    for sequence in sequences(metadatas):
        yield (sequence.schema or scope.default_schema, sequence.name)
    for metadata in metadatas:
        for table in metadata.tables.values():
            name = _serial(table)
            if name is not None:
                yield (table.schema or scope.default_schema, name)


def _serial(table: Table) -> str | None:
    """Return the sequence of the column that SQLAlchemy makes SERIAL, if there is one."""
    column = table.autoincrement_column
    if column is None or column.identity is not None or column.server_default is not None:
        return None
    by_sequence = isinstance(column.default, SqlSequence) and not column.default.optional
    if by_sequence or not isinstance(column.type, Integer):
        return None
    return chosen_name(table.name, [column.name], "seq")


def phrase(change: Change[GrantRecord], difference: Difference) -> list[Operation]:
    """Express a difference as operations."""
    record = change.record
    schema = difference.scope.shown_schema(record.place) if record.place else None
    return [_operation(record, step, schema) for step in steps(change.before, change.after)]


def copied(record: GrantRecord) -> list[str]:
    """Return what makes the privileges in a copy of the database."""
    return [
        statement
        for step in steps(None, record)
        for statement in _operation(record, step, record.place or None).statements()
    ]


def _operation(
    record: GrantRecord, step: PrivilegeStep, schema: str | None
) -> ops.Grant | ops.Revoke:
    names = [record.object] if record.object else []
    place = (step.privileges, record.on, names, record.grantee)
    if step.is_grant:
        return ops.Grant(
            *place, grantable=step.grantable, option_only=step.option_only, schema=schema
        )
    return ops.Revoke(
        *place, was_grantable=step.grantable, option_only=step.option_only, schema=schema
    )
