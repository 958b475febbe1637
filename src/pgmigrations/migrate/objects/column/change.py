"""The SQL that changes a column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pgmigrations.migrate.core.counting import (
    counting_on,
    drawn_sequence,
    identity_sequence,
    is_column,
    within_limits,
)
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified
from pgmigrations.migrate.objects.column.conversion import TIME_ZONE, needs_zone
from pgmigrations.migrate.objects.column.definition import (
    column_definition,
    identity_clause,
    identity_settings,
)
from pgmigrations.migrate.objects.column.generated import generated_block, is_made_again

Place: TypeAlias = tuple[str | None, str, str]
State: TypeAlias = Mapping[str, Any]

HEAVY = ("type", "collation", "generated", "identity_options")
"""Properties whose change cannot simply be said twice."""

PROPERTIES = (
    *HEAVY,
    "default",
    "not_null",
    "storage",
    "compression",
    "statistics",
    "options",
    "comment",
)

_STORED = ("storage", "compression", "statistics", "options")
_STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}


def heavy_statements(place: Place, old: State, new: State, using: str | None) -> list[str]:
    """Write the change of type, collation, generated expression and identity.

    A default stands in the way of a type that it cannot be converted to, and of an identity; it
    is set again by `light_statements`.
    """
    alter = _alter(place)
    statements = []
    if old.get("default"):
        statements.append(f"{alter} DROP DEFAULT")
    if old.get("identity_options") and not new["identity_options"]:
        statements.append(f"{alter} DROP IDENTITY IF EXISTS")
    is_renumbered = bool(old.get("identity_options") and new.get("identity_options"))
    # Its sequence has the column's type, too, which its limits must lie within at every moment.
    is_renumbered_first = is_renumbered and _is_narrower(old, new)
    if is_renumbered_first:
        statements += _renumbered(place, old, new)
    if "generated" in new and (is_made_again(old, new) or old["generated"] != new["generated"]):
        statements.append(generated_block(place, old, new, using))
    elif _differ(old, new, "type") or _differ(old, new, "collation"):
        definition = column_definition(new["type"], new.get("collation", ""), "")
        conversion = f" USING {using}" if using else ""
        retyped = [f"{alter} TYPE {definition}{conversion}"]
        if _differ(old, new, "type") and needs_zone(old["type"], new["type"]):
            zone = f"SET LOCAL TIME ZONE {literal(TIME_ZONE)}"
            retyped = [zone, *retyped, "SET LOCAL TIME ZONE DEFAULT"]
        statements += retyped
    if new.get("identity_options"):
        if new.get("not_null"):
            # An identity column must refuse NULL already.
            statements.append(f"{alter} SET NOT NULL")
        if not is_renumbered:
            statements.append(f"{alter} ADD {identity_clause(new['identity_options'])}")
            statements.append(_count_on(place))
        elif not is_renumbered_first:
            statements += _renumbered(place, old, new)
    return statements


def is_serial_default(default: str) -> bool:
    """Tell whether a default takes the next number of a sequence."""
    return default.startswith("nextval(")


def light_statements(
    place: Place, old: State, new: State, *, guarded: bool = False, has_partitions: bool = False
) -> list[str]:
    """Write the properties that may be set any number of times.

    Args:
        place: Schema, table and column.
        old: The properties as they were.
        new: The properties.
        guarded: Whether the column may be an identity by now, which has no default to drop.
        has_partitions: Whether the table may have partitions.
    """
    alter = _alter(place)
    statements = []
    if "default" in new and not new.get("generated") and not new.get("identity_options"):
        default = new["default"]
        if is_serial_default(default) and default != old["default"]:
            statements.append(_drawn_on(place, default))
        elif default or not guarded or "identity_options" in new:
            statements.append(f"{alter} {f'SET DEFAULT {default}' if default else 'DROP DEFAULT'}")
        else:
            statements.append(_default_dropped(place))
    if "not_null" in new:
        statements += _not_null(place, new["not_null"])
    if str(new.get("generated", "")).startswith("VIRTUAL"):
        # It stores nothing, is made again without these, and refuses to hear of them.
        new = {name: value for name, value in new.items() if value or name not in _STORED}
    if "storage" in new:
        storage = new["storage"]
        statements.append(
            f"{alter} SET STORAGE {_STORAGE[storage]}" if storage else _own_storage(place)
        )
    if "compression" in new:
        action = f"SET COMPRESSION {new['compression'] or 'DEFAULT'}"
        statements.append(f"{alter} {action}")
        if has_partitions:
            statements.append(_in_partitions(place, action))
    if "statistics" in new:
        # Tables that inherit the column have a target of their own.
        alone = alter.replace("ALTER TABLE", "ALTER TABLE ONLY", 1)
        statements.append(f"{alone} SET STATISTICS {int(new['statistics'] or -1)}")
    if "options" in new:
        statements.append(f"{alter} RESET (n_distinct, n_distinct_inherited)")
        if new["options"]:
            statements.append(f"{alter} SET ({', '.join(new['options'])})")
    if "comment" in new:
        column = f"{qualified(*place[:2])}.{identifier(place[2])}"
        comment = literal(new["comment"]) if new["comment"] else "NULL"
        statements.append(f"COMMENT ON COLUMN {column} IS {comment}")
    return statements


def guarded_block(place: Place, old: State, new: State, statements: Sequence[str]) -> str:
    """Write a block that makes the change unless the column is as it shall be."""
    schema, table, column = place
    names = [name for name in HEAVY if name in new]
    wanted = " AND ".join(f"{_PRINTED[name]} = {literal(new[name])}" for name in names)
    body = "\n    ".join(f"{_embedded(statement)};" for statement in statements)
    return do_block(f"""\
DECLARE
  path text := current_setting('search_path');
  table_schema text := {literal(schema) if schema else "current_schema()"};
  is_done boolean;
BEGIN
  -- Types and expressions are compared as they print where nothing is on the path.
  PERFORM set_config('search_path', 'pg_catalog', true);
  SELECT {wanted} INTO is_done
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_depend i ON i.refclassid = 'pg_class'::regclass AND i.refobjid = a.attrelid
    AND i.refobjsubid = a.attnum AND i.deptype = 'i' AND i.classid = 'pg_class'::regclass
    AND a.attidentity <> ''
  LEFT JOIN pg_sequence q ON q.seqrelid = i.objid
  WHERE n.nspname = table_schema AND c.relname = {literal(table)}
    AND a.attname = {literal(column)} AND NOT a.attisdropped;
  PERFORM set_config('search_path', path, true);
  IF NOT coalesce(is_done, false) THEN
    {body}
  END IF;
END""")


def _embedded(statement: str) -> str:
    return f"EXECUTE {literal(statement)}" if statement.startswith("DO ") else statement


def _differ(old: State, new: State, name: str) -> bool:
    return name in new and old[name] != new[name]


def _alter(place: Place) -> str:
    return f"ALTER TABLE {qualified(*place[:2])} ALTER COLUMN {identifier(place[2])}"


def _not_null(place: Place, wanted: str) -> list[str]:
    if wanted in ("", "NOT NULL"):
        return [f"{_alter(place)} {'SET' if wanted else 'DROP'} NOT NULL"]
    # PostgreSQL 18 keeps it as a constraint, of which there is one for a column.
    return [
        f"{_alter(place)} DROP NOT NULL",
        f"ALTER TABLE {qualified(*place[:2])} ADD NOT NULL {identifier(place[2])} "
        f"{wanted.removeprefix('NOT NULL ')}",
    ]


def _default_dropped(place: Place) -> str:
    return do_block(f"""\
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = {literal(qualified(*place[:2]))}::regclass
                   AND a.attname = {literal(place[2])} AND a.attidentity <> '') THEN
    {_alter(place)} DROP DEFAULT;
  END IF;
END""")


def _own_storage(place: Place) -> str:
    """Write what SET STORAGE DEFAULT does from PostgreSQL 16 on."""
    cases = " ".join(f"WHEN '{sign}' THEN '{word}'" for sign, word in _STORAGE.items())
    return do_block(f"""\
BEGIN
  EXECUTE {literal(f"{_alter(place)} SET STORAGE ")} || (
    SELECT CASE t.typstorage {cases} END
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = {literal(qualified(*place[:2]))}::regclass
      AND a.attname = {literal(place[2])});
END""")


def _in_partitions(place: Place, action: str) -> str:
    """Write a block that does to the partitions what the server does to their table alone."""
    table, column = literal(qualified(*place[:2])), literal(place[2])
    return do_block(f"""\
DECLARE
  place regclass;
BEGIN
  FOR place IN SELECT relid FROM pg_catalog.pg_partition_tree({table}) WHERE level > 0 LOOP
    EXECUTE format({literal(f"ALTER TABLE %s ALTER COLUMN %I {action}")}, place, {column});
  END LOOP;
END""")


def _is_narrower(old: State, new: State) -> bool:
    before, after = (_WIDTHS.get(state.get("type", ""), 0) for state in (old, new))
    return after < before


def _renumbered(place: Place, old: State, new: State) -> list[str]:
    """Write blocks that alter an identity, also where its position lies outside new limits.

    One that counts the other way has the rows before it that were behind it.
    """
    was, said = (_numbers(state["identity_options"]) for state in (old, new))
    altered = within_limits(
        identity_sequence(qualified(*place[:2]), place[2]),
        f"{_alter(place)} {identity_settings(new['identity_options'])}",
        low=said.get("MINVALUE"),
        high=said.get("MAXVALUE"),
        step=said.get("INCREMENT"),
    )
    turns = was.get("INCREMENT", 1) * said.get("INCREMENT", 1) < 0
    return [altered, _count_on(place)] if turns else [altered]


def _numbers(identity: str) -> dict[str, int]:
    return {word: int(number) for word, number in _NUMBER.findall(identity)}


def _count_on(place: Place) -> str:
    """Write a block that lets an identity count on from the values that are there."""
    table, column = qualified(*place[:2]), place[2]
    return counting_on(identity_sequence(table, column), is_column(table, column))


def _drawn_on(place: Place, default: str) -> str:
    """Write a block that sets a default, whose sequence counts on from the values that are there.

    Said again, it finds that default, and leaves out what has come by hand since.
    """
    table, column = qualified(*place[:2]), place[2]
    sequence = drawn_sequence(table, column)
    return do_block(f"""\
DECLARE
  drawn oid := {sequence};
BEGIN
  {_alter(place)} SET DEFAULT {default};
  IF drawn IS DISTINCT FROM {sequence} THEN
    EXECUTE {literal(counting_on(sequence, is_column(table, column)))};
  END IF;
END""")


_WIDTHS = {"smallint": 2, "integer": 4, "bigint": 8}
_NUMBER = re.compile(r"\b(INCREMENT|MINVALUE|MAXVALUE) (-?\d+)")
_PRINTED = {
    "type": "format_type(a.atttypid, a.atttypmod)",
    "collation": "CASE WHEN a.attcollation IN (0, t.typcollation) THEN ''"
    " ELSE a.attcollation::regcollation::text END",
    "generated": "CASE a.attgenerated WHEN 's' THEN 'STORED ' WHEN 'v' THEN 'VIRTUAL ' ELSE '' END"
    " || CASE WHEN a.attgenerated = '' THEN '' ELSE pg_get_expr(d.adbin, d.adrelid) END",
    "identity_options": "CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT'"
    " ELSE '' END || CASE WHEN q.seqrelid IS NULL THEN '' ELSE format(' START %s INCREMENT %s"
    " MINVALUE %s MAXVALUE %s CACHE %s%s CYCLE', q.seqstart, q.seqincrement, q.seqmin, q.seqmax,"
    " q.seqcache, CASE WHEN q.seqcycle THEN '' ELSE ' NO' END) END",
}
