"""How a difference of a column becomes operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.operations.ops import AddColumnOp, AlterColumnOp, MigrateOperation
from sqlalchemy import DefaultClause, Table, text
from sqlalchemy.types import TypeEngine

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import escape_parameters
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.column.catalog import ColumnRecord
from pgmigrations.migrate.objects.column.change import PROPERTIES, is_serial_default
from pgmigrations.migrate.objects.column.conversion import needs_zone, using
from pgmigrations.migrate.objects.column.element import element
from pgmigrations.migrate.objects.column.inherited import without_brought
from pgmigrations.migrate.objects.column.ops import ChangeColumn, CompleteColumn
from pgmigrations.migrate.objects.column.printed_type import printed_type
from pgmigrations.migrate.objects.column.regenerated import (
    AddGenerated,
    DropGenerated,
    is_made_of,
    moving,
    released,
    resting,
)
from pgmigrations.migrate.objects.column.removal import DropColumn

_ALEMBICS = frozenset({"type", "not_null", "default", "comment"})


def phrase(change: Change[ColumnRecord], difference: Difference) -> list[MigrateOperation]:
    """Express a change of a column, with those of generated columns that rest upon it."""
    around = [
        operation
        for one in resting(change, difference)
        for operation in _regenerated(one, difference)
    ]
    return [*_phrased(change, difference), *around]


def _phrased(change: Change[ColumnRecord], difference: Difference) -> list[MigrateOperation]:
    """Express a change in one call, Alembic's where it says all of it.

    Alembic's has no eye for what is there: run again, it would convert once more what a USING has
    converted, so a change that needs one is ours.
    """
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [_added(after, difference), *completed(after, difference)]
    if after is None:
        backwards = difference.reversed()
        drop = DropGenerated if before.generated else DropColumn
        return [drop(_added(before, backwards), completed(before, backwards))]
    if moving(before, after, difference):
        return _regenerated(change, difference)
    if before.is_inherited and after.is_inherited:
        before = without_brought(before, after, difference)
    names = {name for name in PROPERTIES if getattr(before, name) != getattr(after, name)}
    forth = back = None
    if "type" in names:
        one, other = (difference.stored_type(record.type) for record in (before, after))
        server = difference.server
        forth = None if after.generated else using(server, after.name, one, other)
        back = None if before.generated else using(server, after.name, other, one)
    # NOT NULL may also be "not valid" and the like.
    plain = {before.not_null, after.not_null} <= {"", "NOT NULL"}
    is_blind = names <= _ALEMBICS and plain and not (forth or back)
    if "type" in names and is_blind:
        # Said once more, a collation would be lost, a generated column be in the way, and a foreign
        # key, too: the server finds no cast for arrays, and does not let go of what a key includes.
        is_used = is_made_of(before, difference.actual) or is_made_of(after, difference.declared)
        is_used = is_used or (*after.relation, after.name) in difference.held_columns
        is_zoned = needs_zone(before.type, after.type)
        is_blind = not (before.collation or after.collation or is_used or is_zoned)
    if "default" in names and any(is_serial_default(one.default) for one in (before, after)):
        # What numbers the rows from now on counts on behind those that are there.
        is_blind = False
    if is_blind:
        return [_alembics(before, after, names, difference)]
    schema = difference.scope.shown_schema(after.schema)
    if _is_serial_and_identity(before, after):
        # Between the two, the sequence of the one goes and that of the other comes.
        steps = [{"default"}, names - {"default", "identity_options"}, {"identity_options"}]
        if after.default:
            steps.reverse()
        return [_ours(before, after, one, schema, forth, back) for one in steps if one]
    return [_ours(before, after, _with_others(before, after, names), schema, forth, back)]


def completed(record: ColumnRecord, difference: Difference) -> list[MigrateOperation]:
    """Set the properties that no element of CREATE TABLE says; they go with their column."""
    not_null = "NOT NULL" if record.not_null else ""
    made = dataclasses.replace(
        record, not_null=not_null, storage="", compression="", statistics="", options=()
    )
    if made == record:
        return []
    names = {name for name in PROPERTIES if getattr(made, name) != getattr(record, name)}
    old, new = (_state(one, names) for one in (made, record))
    schema = difference.scope.shown_schema(record.schema)
    return [CompleteColumn(record.table, record.name, old, new, schema=schema)]


def _added(record: ColumnRecord, difference: Difference) -> AddColumnOp:
    schema = difference.scope.shown_schema(record.schema)
    added = AddGenerated if record.generated else AddColumnOp
    return added(record.table, element(record, difference, alone=True), schema=schema)


def _regenerated(change: Change[ColumnRecord], difference: Difference) -> list[MigrateOperation]:
    """Let a generated column go of the columns that change, and take hold of them again."""
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    changing = moving(before, after, difference)
    forth = _in_two_steps(before, after, difference, changing)
    back = _in_two_steps(
        after, before, difference, {name: one[::-1] for name, one in changing.items()}
    )
    # Neither way asks for values of another type: it keeps those that are there, then makes them.
    for one, other in zip(forth, reversed(back), strict=True):
        one.way_back, other.way_back = other, one
    return [*forth]


def _in_two_steps(
    before: ColumnRecord,
    after: ColumnRecord,
    difference: Difference,
    changing: Mapping[str, Sequence[str]],
) -> list[ChangeColumn]:
    schema = difference.scope.shown_schema(after.schema)
    operations = []
    for old, new in ((before, released(before)), (released(before), after)):
        names = {name for name in PROPERTIES if getattr(old, name) != getattr(new, name)}
        operation = _ours(old, new, _with_others(old, new, names), schema, None, None)
        operation.until = changing
        operations.append(operation)
    return operations


def _with_others(before: ColumnRecord, after: ColumnRecord, names: set[str]) -> set[str]:
    """Add the properties that the change of others takes away for a while."""
    if "generated" in names:
        return {
            name
            for name in PROPERTIES
            if name in ("type", "generated") or getattr(before, name) or getattr(after, name)
        }
    together = set(names)
    if names & {"type", "collation"}:
        together.add("type")
        together |= {
            name
            for name in ("collation", "default")
            if getattr(before, name) or getattr(after, name)
        }
    if "identity_options" in names:
        together |= {name for name in ("default",) if before.default or after.default}
    return together


def _is_serial_and_identity(before: ColumnRecord, after: ColumnRecord) -> bool:
    return bool(
        (before.identity_options and is_serial_default(after.default))
        or (after.identity_options and is_serial_default(before.default))
    )


def _ours(
    before: ColumnRecord,
    after: ColumnRecord,
    names: set[str],
    schema: str | None,
    forth: str | None,
    back: str | None,
) -> ChangeColumn:
    old, new = (_state(record, names) for record in (before, after))
    if "type" not in names:
        forth = back = None
    return ChangeColumn(
        after.table, after.name, old, new, using=forth, old_using=back, schema=schema
    )


def _state(record: ColumnRecord, names: set[str]) -> dict[str, Any]:
    return {
        field.name: list(value) if isinstance(value, tuple) else value
        for field in dataclasses.fields(record)
        if field.name in names
        for value in (getattr(record, field.name),)
    }


def _alembics(
    before: ColumnRecord, after: ColumnRecord, names: set[str], difference: Difference
) -> AlterColumnOp:
    keywords: dict[str, Any] = {}
    if "type" in names:
        table = difference.table(after.schema, after.table)
        keywords["existing_type"] = printed_type(before.type)
        # No model says what a column was before.
        modified = printed_type(after.type) if table is None else _model_type(table, after.name)
        keywords["modify_type"] = modified
    if "not_null" in names:
        keywords["existing_nullable"] = not before.not_null
        keywords["modify_nullable"] = not after.not_null
    if "default" in names:
        keywords["existing_server_default"] = _default(before)
        keywords["modify_server_default"] = _default(after)
    if "comment" in names:
        keywords["existing_comment"] = before.comment or None
        keywords["modify_comment"] = after.comment or None
    schema = difference.scope.shown_schema(after.schema)
    return AlterColumnOp(after.table, after.name, schema=schema, **keywords)


def _model_type(table: Table, name: str) -> TypeEngine[Any]:
    return next(column.type for column in table.columns if column.name == name)


def _default(record: ColumnRecord) -> DefaultClause | None:
    return DefaultClause(text(escape_parameters(record.default))) if record.default else None
