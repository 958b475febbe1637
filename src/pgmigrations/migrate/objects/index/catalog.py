"""Indexes as the catalogs hold them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar, Self

from pgmigrations.migrate.core.catalog import INCLUDED, NOT_OF_AN_EXTENSION, Catalog
from pgmigrations.migrate.core.snapshot import Identity, Record


@dataclass(frozen=True)
class IndexRecord(Record):
    """An index that belongs to no constraint, by the definition that the server prints.

    Attributes:
        table: The table that it is on.
        definition: With method, columns, operator classes, order, INCLUDE, WITH and predicate.
        is_valid: False for what a killed CREATE INDEX CONCURRENTLY left behind.
        tablespace: Empty for the database's own.
        statistics: Statistics targets of expression columns, as `column=target`.
        is_clustered: Whether CLUSTER goes by it.
        comment: Empty where there is none.
        included: What it has by INCLUDE, in order; said by its definition, too.
        used_columns: The columns that an expression or a predicate of it is on; no part of its
            definition.
    """

    kind: ClassVar[str] = "index"
    table: str
    definition: str
    is_valid: bool
    tablespace: str
    statistics: tuple[str, ...]
    is_clustered: bool
    comment: str
    included: tuple[str, ...] = field(compare=False, repr=False)
    used_columns: tuple[str, ...] = field(compare=False, repr=False)

    @property
    def included_columns(self) -> tuple[str, ...]:
        """Those of INCLUDE."""
        return self.included

    @property
    def takes_relation_name(self) -> bool:
        """It does."""
        return True

    @property
    def identity(self) -> Identity:
        """On another table it is another index, although its name is unique within its schema."""
        return (self.kind, self.schema, self.table, self.name)

    @property
    def relation(self) -> tuple[str, str]:
        """Its table."""
        return (self.schema, self.table)

    def restored(self) -> Self:
        """Return it as a restore builds it: whole."""
        return dataclasses.replace(self, is_valid=True)


# What a partitioned table's index prints has ONLY, which would leave the partitions without.
START = """
'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '"""
"""How the definition of an index `i` in pg_index starts."""

_PLACE = "' ON ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
BODY = f"""substr(pg_get_indexdef(o.oid), length({START} || quote_ident(o.relname) || {_PLACE})
         + CASE WHEN o.relkind = 'I' THEN 7 ELSE 2 END)"""
"""The definition of an index `o` (`i` in pg_index) on a table `c` of schema `n`, from USING on."""

PROBE = f"{START} || 'pgm_probe ON pg_temp.pgm_copy ' || {BODY}"
"""The statement that makes the same index on a copy of its table."""

read = Catalog(
    f"""
SELECT n.nspname, o.relname, c.relname,
       {START} || quote_ident(o.relname) || {_PLACE} || ' ' || {BODY},
       i.indisvalid AND i.indisready,
       coalesce((SELECT s.spcname FROM pg_tablespace s WHERE s.oid = o.reltablespace), ''),
       ARRAY(SELECT a.attnum || '=' || a.attstattarget FROM pg_attribute a
             WHERE a.attrelid = o.oid AND a.attstattarget >= 0 ORDER BY a.attnum),
       i.indisclustered,
       coalesce(obj_description(o.oid, 'pg_class'), ''),
       {INCLUDED},
       CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN '{{}}' ELSE ARRAY(
         SELECT DISTINCT a.attname::text FROM pg_depend d
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid
           AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid ORDER BY 1) END
FROM pg_index i
JOIN pg_class o ON o.oid = i.indexrelid
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname = ANY(:schemas) AND {NOT_OF_AN_EXTENSION}
  AND NOT EXISTS (SELECT FROM pg_constraint k
                  WHERE k.conindid = o.oid AND k.contype IN ('p', 'u', 'x'))
ORDER BY n.nspname, o.relname
""",
    IndexRecord,
)
"""Reads every index of the scope's tables."""
