"""The kind "sequence": free-standing ones, and those that a column owns by its default."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.sequence.catalog import SequenceRecord, read
from pgmigrations.migrate.objects.sequence.declared import parts, phrase
from pgmigrations.migrate.objects.sequence.ops import (
    AlterSequence,
    CreateSequence,
    DropSequence,
)
from pgmigrations.migrate.objects.sequence.rename import RenameSequence
from pgmigrations.migrate.objects.sequence.renaming import RENAMING

KIND: Kind[SequenceRecord] = Kind(
    name="sequence",
    read=read,
    operations=(CreateSequence, DropSequence, AlterSequence, RenameSequence),
    comparison=Comparison(phrase, parts=parts),
    renaming=RENAMING,
)
