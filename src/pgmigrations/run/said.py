"""What an operation says, as text that is the same in every process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alembic.operations.ops import MigrateOperation
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Constraint,
    DefaultClause,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Table,
)
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import TableClause

_PLAIN = (str, int, float, bytes, type(None))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def words_of(operation: MigrateOperation) -> Iterator[str]:
    """Yield what an operation is and all that it is given.

    Args:
        operation: Before it is run, which changes some.
    """
    yield type(operation).__name__
    for name, value in sorted(vars(operation).items()):
        if value is not None and not name.startswith("_"):
            yield f"{name} {said(value)}"


def said(value: Any) -> str:
    """Write a value out: of tables, columns and expressions what goes to the server."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{said(key)}: {said(one)}' for key, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(said, value))}]"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(said, value)))}}}"
    for kind, names in _ATTRIBUTES.items():
        if isinstance(value, kind):
            told = [f"{name} {said(getattr(value, name, None))}" for name in names]
            if isinstance(value, ForeignKey):
                told.append(f"to {said(_target(value))}")
            return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, ClauseElement):
        try:
            compiled = value.compile()
        except CompileError:
            return type(value).__name__
        return f"{compiled} {said(compiled.params)}"
    return _ADDRESS.sub("", repr(value))


def _target(key: ForeignKey) -> Any:
    """Say what a foreign key refers to; `target_fullname` has no words for names with dots."""
    target = key._colspec
    if not isinstance(target, Column):
        return target
    table = target.table
    return (getattr(table, "schema", None), getattr(table, "name", None), target.name)


_ATTRIBUTES: Mapping[type, tuple[str, ...]] = {
    Table: ("name", "schema", "columns", "constraints", "comment"),
    TableClause: ("name", "schema", "columns"),
    Column: (
        "name",
        "type",
        "nullable",
        "primary_key",
        "autoincrement",
        "unique",
        "index",
        "comment",
        "server_default",
        "computed",
        "identity",
        "foreign_keys",
        "dialect_options",
    ),
    DefaultClause: ("arg",),
    ForeignKey: ("name", "ondelete", "onupdate", "deferrable", "initially"),
    Computed: ("sqltext", "persisted"),
    Identity: ("always", "start", "increment", "minvalue", "maxvalue", "cycle", "cache"),
    CheckConstraint: ("name", "sqltext"),
    ForeignKeyConstraint: ("name", "column_keys", "elements", "ondelete", "onupdate", "deferrable"),
    Index: ("name", "expressions", "unique", "dialect_kwargs"),
    Constraint: ("name", "_pending_colargs", "deferrable", "initially", "dialect_kwargs"),
}
"""What is looked at, of what is no expression; the first that fits."""
