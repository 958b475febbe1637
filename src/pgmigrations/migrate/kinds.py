"""The list of kinds, one line each."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.objects import (
    column,
    constraint,
    domain,
    enum,
    extension,
    index,
    schema,
    sequence,
    table,
)

KINDS: tuple[AnyKind, ...] = (
    schema.KIND,
    extension.KIND,
    enum.KIND,
    domain.KIND,
    sequence.KIND,
    table.KIND,
    column.KIND,
    constraint.KIND,
    index.KIND,
)
