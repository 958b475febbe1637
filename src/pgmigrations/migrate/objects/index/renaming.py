"""What the models say of the names that indexes have had, and what looks like a rename."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from sqlalchemy import MetaData

from pgmigrations.migrate.core.hint import Place, RenameHint, Renaming, hints_in_tables
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.objects.index.catalog import IndexRecord
from pgmigrations.migrate.objects.index.compiled import name as compiled_name
from pgmigrations.migrate.objects.index.definition import Definition
from pgmigrations.migrate.objects.index.rename import RenameIndex


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameIndex:
    schema, _ = place
    return RenameIndex(old, new, schema=scope.shown_schema(schema))


def _hints(metadatas: Sequence[MetaData], scope: Scope) -> Iterable[RenameHint]:
    return hints_in_tables(
        "index",
        metadatas,
        scope,
        lambda table: [(one, compiled_name(one)) for one in table.indexes if "info" in vars(one)],
    )


def _follows(before: IndexRecord, after: IndexRecord) -> IndexRecord:
    body = Definition.parse(before.definition)
    if body == Definition.parse(after.definition):
        # Names are quoted by the server where they need be, by us always.
        return after
    return dataclasses.replace(after, definition=body.statement(after.schema, after.name))


RENAMING: Renaming[IndexRecord] = Renaming(_operation, _hints, follows=_follows)
