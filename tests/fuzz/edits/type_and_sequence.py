"""Edits of enumerated types and of sequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.column_type import enum_key
from tests.fuzz.draw import Drawing
from tests.fuzz.draw_schema import LABELS, draw_enum, draw_sequence
from tests.fuzz.edits.registry import Edit
from tests.fuzz.name import TEXTS
from tests.fuzz.spec import EnumSpec, SchemaSpec, SequenceSpec


def _of_enum(edit: Callable[[Drawing, EnumSpec], tuple[str, ...] | None]) -> Edit:
    def edited(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
        for enum in drawing.rng.sample(list(spec.enums), len(spec.enums)):
            labels = edit(drawing, enum)
            if labels is not None and labels != enum.labels:
                new = replace(enum, labels=labels)
                enums = tuple(new if one == enum else one for one in spec.enums)
                return replace(spec, enums=enums)
        return None

    return edited


def _append(drawing: Drawing, enum: EnumSpec) -> tuple[str, ...] | None:
    free = [label for label in LABELS if label not in enum.labels]
    return (*enum.labels, drawing.pick(free)) if free else None


def _insert(drawing: Drawing, enum: EnumSpec) -> tuple[str, ...] | None:
    free = [label for label in LABELS if label not in enum.labels]
    if not free:
        return None
    place = drawing.rng.randrange(len(enum.labels))
    return (*enum.labels[:place], drawing.pick(free), *enum.labels[place:])


def _remove(drawing: Drawing, enum: EnumSpec) -> tuple[str, ...] | None:
    if len(enum.labels) < 2:
        return None
    gone = drawing.pick(enum.labels)
    return tuple(label for label in enum.labels if label != gone)


def _reorder(drawing: Drawing, enum: EnumSpec) -> tuple[str, ...] | None:
    return tuple(drawing.rng.sample(enum.labels, len(enum.labels)))


def _add_enum(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec:
    """Add a type, with a column of it where there is a table."""
    enum = draw_enum(drawing, spec)
    spec = replace(spec, enums=(*spec.enums, enum))
    if not spec.tables:
        return spec
    table = drawing.pick(spec.tables)
    column = drawing.column(spec, table, enum_key(enum.place, array=drawing.chance(0.2)))
    return spec.with_table(replace(table, columns=(*table.columns, column)))


def _drop_enum(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    """Drop a type; its columns become text."""
    if not spec.enums:
        return None
    gone = drawing.pick(spec.enums)
    return replace(spec, enums=tuple(one for one in spec.enums if one != gone))


def _add_sequence(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec:
    return replace(spec, sequences=(*spec.sequences, draw_sequence(drawing, spec)))


def _drop_sequence(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
    if not spec.sequences:
        return None
    gone = drawing.pick(spec.sequences)
    return replace(spec, sequences=tuple(one for one in spec.sequences if one != gone))


def _of_sequence(edit: Callable[[Drawing, SchemaSpec, SequenceSpec], SequenceSpec]) -> Edit:
    def edited(drawing: Drawing, spec: SchemaSpec) -> SchemaSpec | None:
        if not spec.sequences:
            return None
        chosen = drawing.pick(spec.sequences)
        new = edit(drawing, spec, chosen)
        sequences = tuple(new if one == chosen else one for one in spec.sequences)
        return replace(spec, sequences=sequences)

    return edited


def _alter_sequence(drawing: Drawing, spec: SchemaSpec, sequence: SequenceSpec) -> SequenceSpec:
    drawn = draw_sequence(drawing, spec)
    return replace(drawn, schema=sequence.schema, name=sequence.name, owner=sequence.owner)


def _own_sequence(drawing: Drawing, spec: SchemaSpec, sequence: SequenceSpec) -> SequenceSpec:
    if sequence.owner and drawing.chance(0.5):
        return replace(sequence, owner=())
    columns = [
        (table.schema, table.name, column.name)
        for table in spec.tables
        if table.schema == sequence.schema
        for column in table.columns
    ]
    return replace(sequence, owner=drawing.pick(columns)) if columns else sequence


def _comment(drawing: Drawing, spec: SchemaSpec, sequence: SequenceSpec) -> SequenceSpec:
    return replace(sequence, comment=drawing.other(("", *TEXTS), sequence.comment))


EDITS: dict[str, Edit] = {
    "enum: add": _add_enum,
    "enum: drop": _drop_enum,
    "enum: label at the end": _of_enum(_append),
    "enum: label in the middle": _of_enum(_insert),
    "enum: label removed": _of_enum(_remove),
    "enum: labels in another order": _of_enum(_reorder),
    "sequence: add": _add_sequence,
    "sequence: drop": _drop_sequence,
    "sequence: alter": _of_sequence(_alter_sequence),
    "sequence: owner": _of_sequence(_own_sequence),
    "sequence: comment": _of_sequence(_comment),
}
