"""Parts of a table as they are at a moment: whether what changes between two steps has changed.

What makes way for a change of others, and comes back after it, is the same before and after. Only
what it makes way for tells whether that is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.quoting import literal

Part: TypeAlias = Sequence[str]
"""`column`, `constraint`, `index` or `table`; schema, table, name, which a table has not; and what
it is, empty for nothing: of a table `LOGGED` or `UNLOGGED`."""

_PLACE = """
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = {table}"""
_LOOKS = {
    "column": """
SELECT concat_ws(' ', format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation NOT IN (0, t.typcollation)
       THEN 'COLLATE ' || a.attcollation::regcollation::text END,
  CASE a.attgenerated WHEN 's' THEN 'STORED ' WHEN 'v' THEN 'VIRTUAL ' END
    || pg_get_expr(d.adbin, d.adrelid),
  CASE WHEN a.attnotnull THEN 'NOT NULL' END)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"""
    f"{_PLACE} AND a.attname = {{name}} AND NOT a.attisdropped",
    "constraint": """
SELECT pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"""
    f"{_PLACE} AND k.conname = {{name}}",
    "index": """
SELECT pg_get_indexdef(o.oid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class o ON o.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"""
    f"{_PLACE} AND o.relname = {{name}}"
    # That of a constraint is no index by itself.
    """
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = o.oid AND k.contype IN ('p', 'u', 'x'))""",
    "table": """
SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE 'LOGGED' END
FROM pg_catalog.pg_class c"""
    f"{_PLACE}",
}


def column_state(column: Any) -> str:
    """Write what a column's record says of it, as a part says it; empty for None."""
    if column is None:
        return ""
    words = [column.type]
    if column.collation:
        words.append(f"COLLATE {column.collation}")
    if column.generated:
        words.append(column.generated)
    if column.not_null:
        words.append("NOT NULL")
    return " ".join(words)


def table_state(table: Any) -> str:
    """Write what a table's record says of it, as a part says it; empty for None."""
    if table is None:
        return ""
    return "UNLOGGED" if table.persistence == "u" else "LOGGED"


def is_retyped(before: Any, after: Any) -> bool:
    """Tell whether a column that stays gets another type or collation; a length alone is none.

    Args:
        before: The column's record; None where it is not there.
        after: The same afterwards.
    """
    if before is None or after is None:
        return False
    return bool(_plain(before.type) != _plain(after.type) or before.collation != after.collation)


def are_as(parts: Sequence[Part]) -> str:
    """Write the condition that parts are what they say, with nothing on the search path."""
    return " AND ".join(map(_is_as, parts)) or "true"


def look_at(connection: Connection, parts: Sequence[Part]) -> bool:
    """Tell whether parts are what they say."""
    with pinned(connection):
        look = f"SELECT {are_as(parts)}"
        options = {"no_parameters": True}
        return bool(connection.exec_driver_sql(look, execution_options=options).scalar_one())


def _is_as(part: Part) -> str:
    kind, schema, table, name, definition = part
    names = {"schema": literal(schema), "table": literal(table), "name": literal(name)}
    return f"coalesce(({_LOOKS[kind].format(**names)}), '') = {literal(definition)}"


def _plain(type_: str) -> str:
    """Leave a type's modifiers out; a name that has to be quoted stays as it is."""
    start, end = type_.find("("), type_.find(")")
    if '"' in type_ or start < 0:
        return type_
    return type_[:start] + type_[end + 1 :]
