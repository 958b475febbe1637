"""Edits of whole tables."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw import Drawing
from tests.fuzz.draw_schema import BOUNDS, OPTIONS, draw_replica_identity, with_new_table
from tests.fuzz.edits.registry import Edit, of_table
from tests.fuzz.name import TEXTS, draw_name
from tests.fuzz.spec import SchemaSpec, TableSpec

_SECURITY = ("", "ENABLE", "FORCE", "ENABLE FORCE")


def _add(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec:
    return with_new_table(drawing, spec, "table")


def _add_partitioned(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec:
    return with_new_table(drawing, spec, "partitioned")


def _add_child(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec:
    return with_new_table(drawing, spec, "child")


def _drop(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    if not spec.tables:
        return None
    gone = drawing.pick(spec.tables)
    return replace(spec, tables=tuple(one for one in spec.tables if one != gone))


def _comment(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    return replace(table, comment=drawing.other(("", *TEXTS), table.comment))


def _options(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    if table.partition is not None:
        return None
    if table.options and drawing.chance(0.4):
        return replace(table, options=())
    return replace(table, options=tuple(sorted(drawing.some(OPTIONS, 2))))


def _unlogged(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    return None if table.partition else replace(table, unlogged=not table.unlogged)


def _row_security(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    return replace(table, row_security=drawing.other(_SECURITY, table.row_security))


def _replica_identity(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec:
    if table.replica_identity != "DEFAULT" and drawing.chance(0.5):
        return replace(table, replica_identity="DEFAULT")
    return replace(table, replica_identity=draw_replica_identity(drawing, table))


def _partition(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    """Add or drop a partition, but neither the first nor the last.

    Where the models declare none, those that are there are somebody else's, and stay.
    """
    partition = table.partition
    if partition is None or not partition.children:
        return None
    used = [bound for _, bound in partition.children]
    free = [bound for bound in BOUNDS[partition.strategy] if bound not in used]
    if len(partition.children) > 1 and (not free or drawing.chance(0.5)):
        gone = drawing.pick(partition.children)
        children = tuple(one for one in partition.children if one != gone)
    elif not free:
        return None
    else:
        child = (draw_name(drawing.rng, spec, "p"), drawing.pick(free))
        children = (*partition.children, child)
    return replace(table, partition=replace(partition, children=children))


EDITS: dict[str, Edit] = {
    "table: add": _add,
    "table: add a partitioned one": _add_partitioned,
    "table: add a child": _add_child,
    "table: drop": _drop,
    "table: comment": of_table(_comment),
    "table: storage parameters": of_table(_options),
    "table: unlogged": of_table(_unlogged),
    "table: row security": of_table(_row_security),
    "table: replica identity": of_table(_replica_identity),
    "table: partition": of_table(_partition),
}
