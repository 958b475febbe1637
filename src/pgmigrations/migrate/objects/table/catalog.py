"""Tables and their columns as the catalogs hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.snapshot import Record, Scope


@dataclass(frozen=True)
class TableRecord(Record):
    """A table: what it is, its columns by name, and its comment.

    Attributes:
        sort: `r` table, `p` partitioned table, `f` foreign table, `v` view, `m` materialized view,
            `S` sequence.
        columns: (name, type, not null, default or generation expression, identity, collation,
            comment) in the order of their names.
    """

    kind: ClassVar[str] = "table"
    sort: str
    columns: tuple[tuple[str, ...], ...]
    comment: str


# pg_get_expr prints a default as the server understands it, which is what is compared.
_READ = text("""
SELECT n.nspname, c.relname, c.relkind::text,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
       ARRAY(SELECT ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod),
                          a.attnotnull::text, coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
                          a.attgenerated::text || a.attidentity::text,
                          CASE WHEN a.attcollation = t.typcollation THEN ''
                               ELSE a.attcollation::regcollation::text END,
                          coalesce(col_description(c.oid, a.attnum), '')]
             FROM pg_attribute a
             JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attname) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname = ANY(:schemas)
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
""")


def read(connection: Connection, scope: Scope) -> Iterator[TableRecord]:
    """Read every table of the scope's schemas in one statement, extensions' own left out."""
    rows = connection.execute(_READ, {"schemas": sorted(scope.schemas)})
    for schema, name, sort, comment, columns in rows:
        if (schema, name) not in scope.ignore_relations:
            yield TableRecord(schema, name, sort, tuple(map(tuple, columns)), comment)
