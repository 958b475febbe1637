"""The kind "column": what changes in a column that stays."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.column.catalog import ColumnRecord, read
from pgmigrations.migrate.objects.column.ops import ChangeColumn
from pgmigrations.migrate.objects.column.phrase import phrase
from pgmigrations.migrate.objects.column.reprinted import reprinted

KIND: Kind[ColumnRecord] = Kind(
    name="column",
    read=read,
    operations=(ChangeColumn,),
    comparison=Comparison(phrase, reprinted=reprinted),
)
