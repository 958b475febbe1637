"""Sequences as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import NOT_OF_AN_EXTENSION, USER, USERS, Catalog
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class SequenceRecord(Record):
    """A sequence; that of an identity column is a property of the column.

    Attributes:
        type: `smallint`, `integer` or `bigint`.
        options: START, INCREMENT, MINVALUE, MAXVALUE, CACHE and CYCLE, in this order.
        owner: (schema, table, column) that it is dropped with; empty for a free-standing one.
        persistence: `p` permanent, `u` unlogged.
        comment: Empty where there is none.
    """

    kind: ClassVar[str] = "sequence"
    type: str
    options: tuple[str, ...]
    owner: tuple[str, ...]
    persistence: str
    comment: str

    @property
    def takes_relation_name(self) -> bool:
        """It does."""
        return True

    @property
    def relation(self) -> tuple[str, str] | None:
        """The table whose column owns it."""
        return (self.owner[0], self.owner[1]) if self.owner else None

    @property
    def owning_column(self) -> tuple[str, ...]:
        """The column that it is dropped with."""
        return self.owner


_COLUMNS = """
       n.nspname, c.relname, format_type(q.seqtypid, NULL),
       ARRAY[q.seqstart::text, q.seqincrement::text, q.seqmin::text, q.seqmax::text,
             q.seqcache::text, q.seqcycle::text],
       coalesce((SELECT ARRAY[tn.nspname::text, t.relname::text, a.attname::text]
                 FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                 JOIN pg_namespace tn ON tn.oid = t.relnamespace
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
                   AND d.refobjsubid > 0), '{}'),
       c.relpersistence::text,
       coalesce(obj_description(c.oid, 'pg_class'), '')"""
_FROM = """
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence q ON q.seqrelid = c.oid"""
# The sequence of an identity column depends on it by "i".
_NO_IDENTITY = """
NOT EXISTS (SELECT FROM pg_catalog.pg_depend i
            WHERE i.classid = 'pg_catalog.pg_class'::regclass AND i.objid = c.oid
              AND i.deptype = 'i')"""
# That of a column is the table's, and so is what uses it.
_READ = f"""
SELECT {_COLUMNS}, used.places {_FROM}
CROSS JOIN LATERAL (
  SELECT {USERS}
  FROM pg_depend d
  {USER}
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = q.seqrelid
    AND NOT EXISTS (SELECT FROM pg_depend o
                    WHERE o.classid = 'pg_class'::regclass AND o.objid = q.seqrelid
                      AND o.deptype = 'a' AND o.refobjsubid > 0)) used
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname = ANY(:schemas)
  AND {NOT_OF_AN_EXTENSION}
  AND {_NO_IDENTITY}
ORDER BY n.nspname, c.relname
"""


def _record(
    schema: str,
    name: str,
    type_: str,
    options: tuple[str, ...],
    owner: tuple[str, ...],
    persistence: str,
    comment: str,
    places: Any,
) -> SequenceRecord:
    """What uses it matters only where a state is put together, which takes it from the row."""
    return SequenceRecord(schema, name, type_, options, owner, persistence, comment)


read = Catalog(_READ, _record)
"""Reads every sequence of the scope's schemas, extensions' own left out."""


def find(connection: Connection, schema: str | None, name: str) -> SequenceRecord | None:
    """Look one sequence up, in the first schema of the search path where none is said."""
    look = text(f"""SELECT {_COLUMNS} {_FROM}
WHERE n.nspname = coalesce(:schema, current_schema()) AND c.relname = :name AND {_NO_IDENTITY}""")
    row = connection.execute(look, {"schema": schema, "name": name}).one_or_none()
    if row is None:
        return None
    place, found, type_, options, owner, persistence, comment = row
    return SequenceRecord(place, found, type_, tuple(options), tuple(owner), persistence, comment)


def lookup(schema: str | None, name: str, condition: str = "true") -> str:
    """Write a condition: whether there is such a sequence, `q` in pg_sequence and relation `c`."""
    place = literal(schema) if schema else "pg_catalog.current_schema()"
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_sequence q
    JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(name)} AND {_NO_IDENTITY}
      AND {condition})"""
