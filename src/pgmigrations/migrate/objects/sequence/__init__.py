"""The kind "sequence": free-standing ones, and those that a column owns by its default."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Kind
from pgmigrations.migrate.objects.sequence.catalog import SequenceRecord, read

KIND: Kind[SequenceRecord] = Kind(name="sequence", read=read)
