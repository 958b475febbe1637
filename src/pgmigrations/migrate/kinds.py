"""The list of kinds, one line each."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.objects import constraint, enum, extension, index, table

KINDS: tuple[AnyKind, ...] = (
    extension.KIND,
    enum.KIND,
    table.KIND,
    constraint.KIND,
    index.KIND,
)
