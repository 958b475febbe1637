"""What SQLAlchemy's reflection of a column gets wrong, asked of the catalogs instead."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Connection, Table, text
from sqlalchemy.types import NullType, UserDefinedType

# What is qualified in the text of the type depends on the search path, as in the revision.
_COLUMN = text("""
SELECT format_type(a.atttypid, a.atttypmod) AS type,
       EXISTS (SELECT FROM pg_attrdef d
               JOIN pg_depend uses ON uses.classid = 'pg_attrdef'::regclass AND uses.objid = d.oid
                 AND uses.refclassid = 'pg_class'::regclass
               JOIN pg_class s ON s.oid = uses.refobjid AND s.relkind = 'S'
               JOIN pg_depend owned ON owned.classid = 'pg_class'::regclass
                 AND owned.objid = s.oid AND owned.refobjid = a.attrelid
                 AND owned.refobjsubid = a.attnum AND owned.deptype = 'a'
               WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS is_serial
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = coalesce(:schema, current_schema()) AND c.relname = :table
  AND a.attname = :column
""")


# SQLAlchemy takes a type's name apart at parentheses and double quotes, and so finds no type or
# another one.
_MISREAD = text("""
SELECT n.nspname, c.relname, a.attname
FROM pg_type t
JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f')
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.oid >= 16384 AND t.typname ~ '[()"]'
UNION ALL SELECT NULL, current_schema(), NULL
""")


class ServerType(UserDefinedType[Any]):
    """A type that SQLAlchemy has no class for, by the text that the server prints."""

    cache_ok = True

    def __init__(self, definition: str = "") -> None:
        self.definition = definition

    def get_col_spec(self, **kw: Any) -> str:
        """Return the text."""
        return self.definition


def misread_columns(connection: Connection) -> frozenset[tuple[str | None, str, str]]:
    """Find the columns whose type reflection misreads.

    Returns:
        Schema, None for the default one, table and column.
    """
    *found, (_, default_schema, _) = connection.execute(_MISREAD).all()
    return frozenset(
        (None if schema == default_schema else schema, table, column)
        for schema, table, column in found
    )


def correct_column(
    connection: Connection, table: Table, column: dict[str, Any], *, is_misread: bool
) -> None:
    """Correct what reflection has found out about a column, in place.

    A type that it did not recognise becomes a `ServerType`. The default of a SERIAL column is left
    out, as the type brings it along; Alembic finds it by a pattern that quotes in names break.

    Args:
        connection: That of the inspector.
        table: The table that is being reflected.
        column: What the event `column_reflect` carries.
        is_misread: Whether the type found is another one than the column's.
    """
    type_ = column["type"]
    item = type_.item_type if isinstance(type_, ARRAY) else type_
    is_unknown = is_misread or type(item) is NullType
    counts = str(column.get("default") or "").startswith("nextval(")
    if not is_unknown and not counts:
        return
    names = {"schema": table.schema, "table": table.name, "column": column["name"]}
    found = connection.execute(_COLUMN, names).one_or_none()
    if found is None:
        return
    if is_unknown:
        column["type"] = ServerType(found.type)
    if found.is_serial:
        del column["default"]
