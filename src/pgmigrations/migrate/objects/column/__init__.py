"""The kind "column". Alembic compares and phrases what it can."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Kind
from pgmigrations.migrate.objects.column.catalog import ColumnRecord, read

KIND: Kind[ColumnRecord] = Kind(name="column", read=read)
