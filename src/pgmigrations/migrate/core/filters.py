"""What a project's `include_name` and `include_object` leave out of the comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.reflection import ServerType
from pgmigrations.migrate.core.snapshot import Change, Record, Scope


def is_dropped(record: Record, context: AutogenContext, scope: Scope) -> bool:
    """Tell whether an object that no model declares may be dropped.

    The project's `include_name` is asked about it and about its table.

    Args:
        record: The object.
        context: Alembic's context of this comparison.
        scope: What is looked at.
    """

    def included(name: str, type_: str, schema: str, table: str | None = None) -> bool:
        parents: Any = {"schema_name": scope.shown_schema(schema)}
        if table is not None:
            parents["table_name"] = table
        return context.run_name_filters(name, cast(Any, type_), parents)

    relation = record.relation
    if relation is not None and not included(relation[1], "table", relation[0]):
        return False
    table = relation[1] if relation is not None else None
    return record.is_ours and included(record.name, record.filter_type, record.schema, table)


def is_refused(change: Change[Any], difference: Difference, context: AutogenContext) -> bool:
    """Ask the project's `include_object` about an object that differs, and about its table.

    Args:
        change: The object that differs.
        difference: What else differs.
        context: Alembic's context of this comparison.
    """
    record: Record = change.record
    place = (record.schema, record.name) if record.kind == "table" else record.relation
    if place is None:
        return False
    declared = difference.table(*place)
    actual = _from_records(place, difference)
    table = actual if declared is None else declared
    is_reflected = declared is None
    if not context.run_object_filters(table, table.name, "table", is_reflected, None):
        return True
    if record.kind == "table":
        return False
    for one, reflected in ((declared, False), (actual, True)):
        found = _element(one, record) if one is not None else None
        if found is not None:
            type_ = cast(Any, record.filter_type)
            return not context.run_object_filters(found, record.name, type_, reflected, None)
    return False


def _element(table: Table, record: Record) -> SchemaItem | None:
    by_kind: dict[str, Iterable[Any]] = {"column": table.columns, "index": table.indexes}
    elements = by_kind.get(record.kind, table.constraints)
    return next((one for one in elements if one.name == record.name), None)


def _from_records(place: tuple[str, str], difference: Difference) -> Table:
    """Make of a table what a filter may look at: its names and types."""
    schema, name = place
    columns = [
        Column(record.name, ServerType(getattr(record, "type", "")))
        for record in difference.actual.values()
        if record.kind == "column" and record.relation == place
    ]
    return Table(name, MetaData(), *columns, schema=difference.scope.shown_schema(schema))
