"""What the models say of the names that constraints have had, and what looks like a rename."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from sqlalchemy import ForeignKey, ForeignKeyConstraint, MetaData, Table
from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.hint import Place, RenameHint, Renaming, hints_in_tables
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord
from pgmigrations.migrate.objects.constraint.model import constraint_name
from pgmigrations.migrate.objects.constraint.rename import RenameConstraint


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameConstraint:
    schema, table = place
    return RenameConstraint(table, old, new, schema=scope.shown_schema(schema))


def _hints(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[RenameHint]:
    for hint in hints_in_tables("constraint", metadatas, scope, _items):
        if isinstance(hint.item, ForeignKey):
            yield dataclasses.replace(hint, item=hint.item.constraint)
        else:
            yield hint


def _items(table: Table) -> Iterator[tuple[SchemaItem, str | None]]:
    for constraint in table.constraints:
        if "info" in vars(constraint):
            yield constraint, constraint_name(constraint)
        if isinstance(constraint, ForeignKeyConstraint):
            # The info= of ForeignKey() stays there.
            for key in constraint.elements:
                if "info" in vars(key):
                    yield key, constraint_name(constraint)


def _follows(before: ConstraintRecord, after: ConstraintRecord) -> ConstraintRecord:
    return dataclasses.replace(before, name=after.name, comment=after.comment)


RENAMING: Renaming[ConstraintRecord] = Renaming(_operation, _hints, follows=_follows)
