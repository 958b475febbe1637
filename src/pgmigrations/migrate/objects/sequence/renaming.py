"""How a sequence follows its column or table to another name."""

from __future__ import annotations

import dataclasses

from pgmigrations.migrate.core.hint import Place, Renaming
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.objects.sequence.catalog import SequenceRecord
from pgmigrations.migrate.objects.sequence.rename import RenameSequence


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameSequence:
    return RenameSequence(old, new, schema=scope.shown_schema(place[0]))


def _follows(before: SequenceRecord, after: SequenceRecord) -> SequenceRecord:
    """Take all but the owner, since its properties are changed in place."""
    return dataclasses.replace(after, owner=before.owner)


RENAMING: Renaming[SequenceRecord] = Renaming(_operation, follows=_follows)
