"""The kind "column": columns of a table that stays; those of a new one come along with it."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.column.catalog import ColumnRecord, read
from pgmigrations.migrate.objects.column.element import parts
from pgmigrations.migrate.objects.column.inherited import brought
from pgmigrations.migrate.objects.column.ops import ChangeColumn
from pgmigrations.migrate.objects.column.phrase import completed, phrase
from pgmigrations.migrate.objects.column.rename import RenameColumn
from pgmigrations.migrate.objects.column.renaming import RENAMING
from pgmigrations.migrate.objects.column.reprinted import reprinted

KIND: Kind[ColumnRecord] = Kind(
    name="column",
    read=read,
    operations=(ChangeColumn, RenameColumn),
    comparison=Comparison(
        phrase, reprinted=reprinted, parts=parts, completed=completed, brought=brought
    ),
    renaming=RENAMING,
)
