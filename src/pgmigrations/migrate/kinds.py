"""The list of kinds, one line each."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.objects import (
    column,
    constraint,
    default_privilege,
    domain,
    enum,
    extension,
    grant,
    index,
    membership,
    role,
    schema,
    sequence,
    table,
)

KINDS: tuple[AnyKind, ...] = (
    role.KIND,
    membership.KIND,
    schema.KIND,
    extension.KIND,
    enum.KIND,
    domain.KIND,
    sequence.KIND,
    table.KIND,
    column.KIND,
    constraint.KIND,
    index.KIND,
    grant.KIND,
    default_privilege.KIND,
)
