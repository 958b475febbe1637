"""A closed part of an application's models, which may be changed without changing the models."""

from __future__ import annotations

from sqlalchemy import Computed, Enum, Index, MetaData, Table

PART = 8
"""At most so many tables: enough to be entangled, few enough for fifty edits."""


def closed_part(metadata: MetaData) -> list[str]:
    """Choose the tables with the most to them, with all that they refer to.

    Returns:
        The keys of the tables, in an order in which they can be made.
    """
    chosen: set[Table] = set()
    ranked = sorted(metadata.tables.values(), key=lambda table: (-_interest(table), table.key))
    for table in ranked:
        wanted = chosen | _closure(table)
        if len(wanted) <= PART:
            chosen = wanted
    return [table.key for table in metadata.sorted_tables if table in chosen]


def copied(metadata: MetaData, keys: list[str]) -> MetaData:
    """Copy tables into a metadata of their own."""
    copy = MetaData(
        naming_convention=metadata.naming_convention,
        schema=metadata.schema,
        info=dict(metadata.info),
    )
    for key in keys:
        metadata.tables[key].to_metadata(copy)
    return copy


def _closure(table: Table) -> set[Table]:
    found: set[Table] = set()
    left = [table]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += [key.elements[0].column.table for key in one.foreign_key_constraints]
    return found


def _interest(table: Table) -> int:
    """Count what a plain table would not have."""
    features = [bool(table.comment), *(bool(column.comment) for column in table.columns)]
    for column in table.columns:
        features += [
            isinstance(column.type, Enum),
            isinstance(column.server_default, Computed),
            column.server_default is not None,
            type(column.type).__module__.startswith("pgvector"),
        ]
    features += [_is_rich(index) for index in table.indexes]
    features += [
        constraint.__visit_name__ == "check_constraint" for constraint in table.constraints
    ]
    return sum(features)


def _is_rich(index: Index) -> bool:
    options = index.dialect_options["postgresql"]
    wanted = ("where", "ops", "using", "include")
    return bool(index.unique) or any(str(options[key]) not in _UNSAID for key in wanted)


_UNSAID = ("None", "False", "{}", "[]")
