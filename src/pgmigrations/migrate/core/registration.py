"""Telling Alembic of the kinds: operations, implementations, renderers."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.autogenerate.render import renderers
from alembic.operations import Operations

from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.operation import perform
from pgmigrations.migrate.core.remark import Remark, render_remark
from pgmigrations.migrate.core.render import render_operation

_registered: set[str] = set()


def register(kinds: Sequence[AnyKind]) -> None:
    """Register what kinds bring along, each once per process.

    Args:
        kinds: All of `pgmigrations.migrate.kinds`, or some.
    """
    renderers.dispatch_for(Remark, replace=True)(render_remark)
    for kind in kinds:
        if kind.name in _registered:
            continue
        _registered.add(kind.name)
        for operation in kind.operations:
            Operations.register_operation(operation.operation_name)(operation)
            Operations.implementation_for(operation)(kind.performers.get(operation, perform))
            renderers.dispatch_for(operation)(render_operation)
        for class_, wrap in kind.implementations.items():
            original = alembic_private.implementation_of(class_)
            Operations.implementation_for(class_, replace=True)(wrap(original))
        for class_, wrap in kind.renderers.items():
            rendered = alembic_private.renderer_of(class_)
            renderers.dispatch_for(class_, replace=True)(wrap(rendered))
