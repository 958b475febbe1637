"""Columns as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import TABLES_IN_SCOPE, Catalog, frozen, pinned
from pgmigrations.migrate.core.snapshot import Identity, Record
from pgmigrations.migrate.objects.column.definition import column_definition


@dataclass(frozen=True)
class ColumnRecord(Record):
    """A column; `name` is the column's, `table` the table's.

    Attributes:
        type: With its modifiers, as `format_type()` prints it.
        not_null: Whether NULL is refused; a NOT NULL that is not validated (PostgreSQL 18) says so.
        default: The default's expression; empty where there is none.
        generated: `STORED` or `VIRTUAL` and the expression; empty for other columns.
        identity_options: `ALWAYS` or `BY DEFAULT` and its sequence's options, as SQL takes them;
            else empty.
        collation: Empty where it is the type's own.
        storage: `p`, `e`, `m` or `x`; empty where it is the type's own.
        compression: `pglz` or `lz4`; empty for the server's choice.
        statistics: Statistics target; empty for the server's choice.
        options: Such as `n_distinct=5`, sorted.
        comment: Empty where there is none.
        position: Its place among the table's columns; no part of its definition.
        made_of: The columns that a generated one is made of; no part of its definition.
        is_inherited: Whether a table that this one inherits from has it; no part of its definition.
        is_local: Whether it was declared in this table; no part of its definition.
    """

    kind: ClassVar[str] = "column"
    table: str
    type: str
    not_null: str
    default: str
    generated: str
    identity_options: str
    collation: str
    storage: str
    compression: str
    statistics: str
    options: tuple[str, ...]
    comment: str
    position: int = field(compare=False, repr=False)
    made_of: tuple[str, ...] = field(compare=False, repr=False)
    is_inherited: bool = field(compare=False, repr=False)
    is_local: bool = field(compare=False, repr=False)

    @property
    def identity(self) -> Identity:
        """A column's name is unique within its table only."""
        return (self.kind, self.schema, self.table, self.name)

    @property
    def relation(self) -> tuple[str, str]:
        """Its table."""
        return (self.schema, self.table)


# pg_attver is the server's own bookkeeping (the minor releases of November 2026).
_SELECT = """
SELECT n.nspname, a.attname, c.relname,
       format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE '' END
         || CASE WHEN k.convalidated IS FALSE THEN ' NOT VALID' ELSE '' END
         || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END,
       CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), '')
            ELSE '' END,
       CASE a.attgenerated WHEN 's' THEN 'STORED ' WHEN 'v' THEN 'VIRTUAL ' ELSE '' END
         || CASE WHEN a.attgenerated = '' THEN '' ELSE pg_get_expr(d.adbin, d.adrelid) END,
       CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' ELSE '' END
         || CASE WHEN q.seqrelid IS NULL THEN '' ELSE
              format(' START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s CYCLE',
                     q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
                     CASE WHEN q.seqcycle THEN '' ELSE ' NO' END) END,
       CASE WHEN a.attcollation IN (0, t.typcollation) THEN ''
            ELSE a.attcollation::regcollation::text END,
       CASE WHEN a.attstorage = t.typstorage THEN '' ELSE a.attstorage::text END,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END,
       coalesce(nullif(a.attstattarget, -1)::text, ''),
       ARRAY(SELECT o FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg_attver=%' ORDER BY o),
       coalesce(col_description(c.oid, a.attnum), ''), a.attnum,
       CASE WHEN a.attgenerated = '' THEN '{}' ELSE ARRAY(
         SELECT DISTINCT b.attname::text FROM pg_depend p
         JOIN pg_attribute b ON b.attrelid = p.refobjid AND b.attnum = p.refobjsubid
         WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
           AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid
           AND p.refobjsubid <> a.attnum ORDER BY 1) END,
       a.attinhcount > 0, a.attislocal
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'n'
  AND k.conkey = ARRAY[a.attnum]
LEFT JOIN pg_depend i ON i.refclassid = 'pg_class'::regclass AND i.refobjid = a.attrelid
  AND i.refobjsubid = a.attnum AND i.deptype = 'i' AND i.classid = 'pg_class'::regclass
  AND a.attidentity <> ''
LEFT JOIN pg_sequence q ON q.seqrelid = i.objid
WHERE a.attnum > 0 AND NOT a.attisdropped AND """
_FIND = text(f"{_SELECT} n.nspname = :schema AND c.relname = :table AND a.attname = :column")
read = Catalog(f"{_SELECT} {TABLES_IN_SCOPE} ORDER BY n.nspname, c.relname, a.attnum", ColumnRecord)
"""Reads every column of the scope's tables."""


def find(
    connection: Connection, schema: str | None, table: str, column: str
) -> ColumnRecord | None:
    """Read one column, as it prints under the pinned settings.

    Args:
        connection: Where to read.
        schema: The table's schema; None for the first of the search path.
        table: The table.
        column: The column.
    """
    if schema is None:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    names = {"schema": schema, "table": table, "column": column}
    with pinned(connection):
        row = connection.execute(_FIND, names).one_or_none()
    return None if row is None else ColumnRecord(*map(frozen, row))


def definition_of(record: ColumnRecord | None) -> str:
    """Write what a column's values are: type, collation and expression; empty where it is none."""
    if record is None:
        return ""
    return column_definition(record.type, record.collation, record.generated)
