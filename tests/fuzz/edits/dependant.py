"""Edits of constraints."""

from __future__ import annotations

from dataclasses import replace

from tests.fuzz.draw import ACTIONS, DEFERRABLE, Drawing
from tests.fuzz.edits.registry import Edit, added, altered, dropped, of_table
from tests.fuzz.name import TEXTS
from tests.fuzz.spec import (
    CheckSpec,
    ExclusionSpec,
    ForeignKeySpec,
    KeySpec,
    SchemaSpec,
    TableSpec,
    changed,
)

_PARTS = ("uniques", "foreign_keys", "checks", "exclusions")


def _primary_key(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    """Add, drop or replace a primary key; a replaced one keeps its name now and then."""
    if table.primary_key is not None and drawing.chance(0.3):
        return replace(table, primary_key=None)
    key = drawing.key(spec, table, "pk")
    if key is not None and table.primary_key is not None and drawing.chance(0.5):
        key = replace(key, name=table.primary_key.name)
    return replace(table, primary_key=key)


def _unique(drawing: Drawing, spec: SchemaSpec, table: TableSpec, key: KeySpec) -> KeySpec | None:
    new = drawing.key(spec, table, "uq")
    if new is None:
        return None
    if drawing.chance(0.5):
        # Only the options: a foreign key that rests on it stays.
        return replace(key, include=new.include, nulls_not_distinct=not key.nulls_not_distinct)
    return replace(new, name=key.name, comment=key.comment)


def _foreign_key(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, key: ForeignKeySpec
) -> ForeignKeySpec | None:
    what = drawing.pick(("on_delete", "on_update", "match", "deferrable", "not_valid"))
    if what == "not_valid":
        return replace(key, not_valid=not key.not_valid)
    choices = {"match": ("", "FULL"), "deferrable": DEFERRABLE}.get(what, ACTIONS)
    return changed(key, {what: drawing.other(choices, getattr(key, what))})


def _foreign_key_elsewhere(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, key: ForeignKeySpec
) -> ForeignKeySpec | None:
    new = drawing.foreign_key(spec, table)
    return None if new is None else replace(new, name=key.name)


def _reword(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, check: CheckSpec
) -> CheckSpec | None:
    expression = drawing.condition(spec, table)
    return None if expression is None else replace(check, expression=expression)


def _check_options(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, check: CheckSpec
) -> CheckSpec | None:
    if drawing.chance(0.5):
        return replace(check, no_inherit=not check.no_inherit)
    return replace(check, not_valid=not check.not_valid)


def _exclusion(
    drawing: Drawing, spec: SchemaSpec, table: TableSpec, one: ExclusionSpec
) -> ExclusionSpec | None:
    new = drawing.exclusion(spec, table)
    return None if new is None else replace(new, name=one.name)


def _comment(drawing: Drawing, spec: SchemaSpec, table: TableSpec) -> TableSpec | None:
    key = table.primary_key
    if key is not None and drawing.chance(0.3):
        key = replace(key, comment=drawing.other(("", *TEXTS), key.comment))
        return replace(table, primary_key=key)
    for attribute in drawing.rng.sample(_PARTS, len(_PARTS)):
        parts = getattr(table, attribute)
        if parts:
            chosen = drawing.pick(parts)
            new = replace(chosen, comment=drawing.other(("", *TEXTS), chosen.comment))
            parts = tuple(new if one == chosen else one for one in parts)
            return changed(table, {attribute: parts})
    return None


EDITS: dict[str, Edit] = {
    "primary key": of_table(_primary_key),
    "unique: add": added("uniques", lambda d, spec, table: d.key(spec, table, "uq")),
    "unique: drop": dropped("uniques"),
    "unique: alter": altered("uniques", _unique),
    "foreign key: add": added("foreign_keys", lambda d, spec, table: d.foreign_key(spec, table)),
    "foreign key: drop": dropped("foreign_keys"),
    "foreign key: alter": altered("foreign_keys", _foreign_key),
    "foreign key: other columns": altered("foreign_keys", _foreign_key_elsewhere),
    "check: add": added("checks", lambda d, spec, table: d.check(spec, table)),
    "check: drop": dropped("checks"),
    "check: reword": altered("checks", _reword),
    "check: options": altered("checks", _check_options),
    "exclusion: add": added("exclusions", lambda d, spec, table: d.exclusion(spec, table)),
    "exclusion: drop": dropped("exclusions"),
    "exclusion: alter": altered("exclusions", _exclusion),
    "constraint: comment": of_table(_comment),
}
