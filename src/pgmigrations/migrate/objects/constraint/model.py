"""The text of a check or exclusion constraint as the models say it.

What the server prints of such a constraint is not what it was made from, and made from that it
prints another time: `CHECK (status IN ('a'))` is no fixed point. A revision that says it as the
models do leaves what `MetaData.create_all()` leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import CheckConstraint, Constraint, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import DIALECT, identifier
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord

_CLASSES = {"check": CheckConstraint, "exclusion": ExcludeConstraint}

# It compiles parts of statements, so there is no statement to give it.
_COMPILER = DIALECT.ddl_compiler(DIALECT, cast(Any, None))


def said(record: ConstraintRecord, difference: Difference) -> str:
    """Return the definition in the models' words, or in the server's where there are none."""
    table = difference.table(*record.relation)
    class_ = _CLASSES.get(record.sort)
    if table is None or class_ is None:
        return record.definition
    named = {constraint_name(one): one for one in _made(table, class_)}
    found = named.get(record.name)
    if found is None:
        found = _only_unnamed(record, table, class_, difference)
    return record.definition if found is None else _text(found)


def _made(table: Table, class_: type[Constraint]) -> Iterable[Constraint]:
    """Find the constraints that are created with the table; a type may rule its own out."""
    for one in table.constraints:
        rule = one._create_rule
        if isinstance(one, class_) and (rule is None or rule(_COMPILER)):
            yield one


def _only_unnamed(
    record: ConstraintRecord, table: Table, class_: type[Constraint], difference: Difference
) -> Constraint | None:
    """Find the one constraint that the server has chosen a name for, if it is the only one."""
    made = list(_made(table, class_))
    unnamed = [one for one in made if constraint_name(one) is None]
    names = {constraint_name(one) for one in made}
    records = [
        one
        for one in difference.declared.values()
        if isinstance(one, ConstraintRecord)
        and (one.relation, one.sort) == (record.relation, record.sort)
        and one.name not in names
    ]
    return unnamed[0] if len(unnamed) == len(records) == 1 else None


def constraint_name(constraint: Constraint) -> str | None:
    """Return the name as it is sent, after the naming convention."""
    if constraint.name is None:
        return None
    preparer = DIALECT.identifier_preparer
    name = preparer.format_constraint(constraint, _alembic_quote=False)
    return None if name is None else str(name)


def _text(constraint: Constraint) -> str:
    compiled = str(_COMPILER.process(constraint)).strip()
    name = constraint_name(constraint)
    if name is None:
        return compiled
    quoted = (DIALECT.identifier_preparer.quote(name), identifier(name))
    for one in quoted:
        compiled = compiled.removeprefix(f"CONSTRAINT {one} ")
    return compiled
