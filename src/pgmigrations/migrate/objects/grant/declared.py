"""Privileges as the models declare them, and how a difference is phrased."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Integer, MetaData, Table
from sqlalchemy import Sequence as SqlSequence

from pgmigrations.declare import Grant, declarations
from pgmigrations.declare.grant import Every
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.privilege import PrivilegeStep, Sum, steps
from pgmigrations.migrate.core.quoting import DIALECT, chosen_name
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.core.types import sequences, underlying
from pgmigrations.migrate.objects.grant import ops
from pgmigrations.migrate.objects.grant.catalog import GrantRecord, named


class GrantOnNothing(PgMigrationsError):
    """A declared grant names something that no model declares."""

    def __init__(self, grant: Grant, name: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(name, [*known], 1)
        super().__init__(
            f"The grant to {grant.to} at {grant.declared_at} names the {grant.on} {name}, which no "
            "model declares",
            f"Did you mean {near[0]}?" if near else "Declare it, or grant by hand in a revision",
        )
        self.name = name


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[GrantRecord],
    made: Snapshot[GrantRecord],
) -> Iterator[GrantRecord]:
    """Yield what the declared grants add up to for each object and role.

    Raises:
        GrantOnNothing: One names a table or a sequence that no model declares.
    """
    total: Sum[tuple[str, str, str, str]] = Sum()
    for metadata in metadatas:
        for grant in declarations(metadata, Grant):
            for schema, name in _objects(grant, metadatas, scope):
                place = (schema, grant.on, name, grant.to)
                total.add(place, grant.privileges, grantable=grant.grantable)
    for place, privileges, grantable in total:
        wanted = named(*place, privileges, grantable)
        found = actual.get(wanted.identity)
        # An owner may do all with what is his, whatever is said.
        yield found if found is not None and found.is_owners else wanted


def _objects(
    grant: Grant, metadatas: Sequence[MetaData], scope: Scope
) -> Iterator[tuple[str, str]]:
    """Yield (schema, name) of what a grant is on."""
    if grant.on == "database":
        yield ("", "")
    elif grant.on == "schema":
        yield from (("", name) for name in grant.schemas)
    else:
        found = {*(_tables(metadatas, scope) if grant.tables else _sequences(metadatas, scope))}
        names: Sequence[str] | Every = grant.tables or grant.sequences
        if isinstance(names, Every):
            for schema, name in sorted(found - scope.ignore_relations):
                if grant.schema in (None, schema):
                    yield (schema, name)
            return
        schema = grant.schema or scope.default_schema
        for name in names:
            if (schema, name) not in found:
                raise GrantOnNothing(grant, name, (one for place, one in found if place == schema))
            yield (schema, name)


def _tables(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[tuple[str, str]]:
    for metadata in metadatas:
        for table in metadata.tables.values():
            yield (table.schema or scope.default_schema, table.name)


def _sequences(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[tuple[str, str]]:
    for sequence in sequences(metadatas):
        # An optional one is for other databases: here its column is SERIAL.
        if not sequence.optional:
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
    stored = underlying(column.type.dialect_impl(DIALECT))
    if by_sequence or not isinstance(stored, Integer):
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
