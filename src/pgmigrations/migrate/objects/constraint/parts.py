"""The constraints that CREATE TABLE carries along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem, conv

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import (
    DIALECT,
    escape_parameters,
    identifier,
)
from pgmigrations.migrate.core.snapshot import Identity
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord
from pgmigrations.migrate.objects.constraint.model import constraint_name
from pgmigrations.migrate.objects.constraint.moving import resting

_CLASSES: dict[str, type[Constraint]] = {
    "primary key": PrimaryKeyConstraint,
    "unique": UniqueConstraint,
    "foreign key": ForeignKeyConstraint,
    "check": CheckConstraint,
}
# What Alembic renders of a constraint has no words for these.
_UNSAID = ("NOT VALID", "NO INHERIT", "NOT ENFORCED")


def parts(record: ConstraintRecord, difference: Difference) -> Sequence[SchemaItem] | None:
    """Return the element that makes a declared constraint within its table, where it is exact."""
    table = difference.table(record.schema, record.table)
    if table is None:
        return _printed_key(record)
    found = _model(record, table)
    if found is None or record.definition.endswith(_UNSAID):
        return None
    if isinstance(found, CheckConstraint):
        # A type brings its check along only where the type itself is said, which imports it.
        return [_detached(found, record)]
    if isinstance(found, PrimaryKeyConstraint):
        return [_named(found, record)] if _is_plain_key(record) else None
    if isinstance(found, ForeignKeyConstraint) and (
        found.use_alter or not _has_its_key(record, difference)
    ):
        return None
    return [_named(found, record)]


def _named(found: Constraint, record: ConstraintRecord) -> Constraint:
    """Give a copy the name that the server has for it, which no naming convention changes.

    A revision runs with the convention that the models have by then. Of two keys on the same
    columns, the server makes one, by the name of the unique one.
    """
    named = copy(found)
    named.name = conv(record.name)
    return named


def _has_its_key(record: ConstraintRecord, difference: Difference) -> bool:
    """Tell whether what a foreign key rests on is there when the tables are made."""
    schema, table = record.referred_table
    if not difference.has_table(schema, table):
        # A unique index is made when all tables are.
        key = difference.declared.get(("constraint", schema, table, record.referred_key))
        return key is not None and parts(key, difference) is not None
    columns = (("column", schema, table, name) for name in record.referred_columns)
    is_same = all(_is_same(one, difference) for one in columns)
    return is_same and not resting(record, difference)


def _is_same(identity: Identity, difference: Difference) -> bool:
    return bool(difference.actual.get(identity) == difference.declared.get(identity))


def _printed_key(record: ConstraintRecord) -> Sequence[SchemaItem] | None:
    if record.sort != "primary key" or not _is_plain_key(record):
        return None
    columns: list[Column[Any]] = [Column(name) for name in record.columns]
    key = PrimaryKeyConstraint(*(column.name for column in columns), name=conv(record.name))
    Table(record.table, MetaData(), *columns, key)
    return [key]


def _is_plain_key(record: ConstraintRecord) -> bool:
    """Tell whether the key has columns and nothing else; names are quoted where they must be."""
    rest = record.definition.removeprefix("PRIMARY KEY (")
    for name in record.columns:
        written = name if rest.startswith(name) else identifier(name)
        if not rest.startswith(written):
            return False
        rest = rest.removeprefix(written).removeprefix(", ")
    return rest == ")"


def _model(record: ConstraintRecord, table: Table) -> Constraint | None:
    """Find the model's constraint: by its name, else as the only one that it can be."""
    class_ = _CLASSES.get(record.sort)
    if class_ is None:
        return None
    made = [one for one in _constraints(table) if isinstance(one, class_)]
    named = [one for one in made if constraint_name(one) == record.name]
    if named:
        return named[0] if len(named) == 1 else None
    unnamed = [one for one in made if constraint_name(one) is None]
    if record.sort != "check":
        unnamed = [one for one in unnamed if _column_names(one) == record.columns]
    return unnamed[0] if len(unnamed) == 1 else None


def _constraints(table: Table) -> Iterator[Constraint]:
    yield from table.constraints
    for column in table.columns:
        yield from column.constraints


def _column_names(constraint: Constraint) -> tuple[str, ...]:
    return tuple(column.name for column in getattr(constraint, "columns", ()))


def _detached(check: CheckConstraint, record: ConstraintRecord) -> CheckConstraint:
    options = {"literal_binds": True, "include_table": False}
    sql = str(check.sqltext.compile(dialect=DIALECT, compile_kwargs=options))
    return CheckConstraint(text(escape_parameters(sql)), name=conv(record.name), _autoattach=False)
