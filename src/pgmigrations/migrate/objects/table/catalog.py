"""Tables as the catalogs hold them, without their columns, constraints and indexes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import TABLES_IN_SCOPE, Catalog, frozen, pinned
from pgmigrations.migrate.core.snapshot import Record
from pgmigrations.migrate.objects.table.ledger import is_ledger


@dataclass(frozen=True)
class TableRecord(Record):
    """A table without what lies in it.

    Attributes:
        sort: `table`, `partitioned table` or `foreign table`.
        persistence: `p` permanent, `u` unlogged.
        options: Storage parameters, such as `fillfactor=70`, sorted; those of its TOAST table
            with `toast.` before.
        partition_key: As `PARTITION BY` takes it; empty for other tables.
        partitions: (schema, name, bound, partition key, parent's schema, parent's name) of its
            partitions at every level, upper ones first; the parent is empty where it is the table,
            the key where it is not partitioned itself.
        parents: (schema, name) of the tables that it inherits from, in order.
        row_security: `enabled`, `forced`, both or empty.
        replica_identity: `d` default, `n` nothing, `f` full, or `i` and the index's name.
        tablespace: Empty for the database's own.
        access_method: Such as `heap`; empty where there is none.
        comment: Empty where there is none.
        column_names: What its columns are called; no part of its definition.
    """

    kind: ClassVar[str] = "table"
    sort: str
    persistence: str
    options: tuple[str, ...]
    partition_key: str
    partitions: tuple[tuple[str, ...], ...]
    parents: tuple[tuple[str, ...], ...]
    row_security: str
    replica_identity: str
    tablespace: str
    access_method: str
    comment: str
    column_names: tuple[str, ...] = field(compare=False, repr=False)

    def __post_init__(self) -> None:
        # What a foreign data wrapper's IMPORT has made is nothing that models declare.
        if self.sort == "foreign table" or is_ledger(self.column_names):
            object.__setattr__(self, "is_ours", False)

    @property
    def takes_relation_name(self) -> bool:
        """It does."""
        return True

    @property
    def referred_relations(self) -> tuple[tuple[str, str], ...]:
        """The tables that it inherits from."""
        return tuple((schema, name) for schema, name in self.parents)


_SELECT = """
SELECT n.nspname, c.relname,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                      ELSE 'foreign table' END,
       c.relpersistence::text,
       ARRAY(SELECT o FROM unnest(c.reloptions) AS o
             UNION ALL SELECT 'toast.' || o FROM pg_class t, unnest(t.reloptions) AS o
                       WHERE t.oid = c.reltoastrelid
             ORDER BY 1),
       coalesce(pg_get_partkeydef(c.oid), ''),
       CASE WHEN c.relkind = 'p' THEN ARRAY(
             SELECT ARRAY[pn.nspname::text, p.relname::text, pg_get_expr(p.relpartbound, p.oid),
                          coalesce(pg_get_partkeydef(p.oid), ''),
                          CASE WHEN r.oid = c.oid THEN '' ELSE rn.nspname::text END,
                          CASE WHEN r.oid = c.oid THEN '' ELSE r.relname::text END]
             FROM pg_partition_tree(c.oid) y JOIN pg_class p ON p.oid = y.relid
             JOIN pg_namespace pn ON pn.oid = p.relnamespace
             JOIN pg_class r ON r.oid = y.parentrelid
             JOIN pg_namespace rn ON rn.oid = r.relnamespace
             WHERE y.level > 0 ORDER BY y.level, 1) ELSE '{}' END,
       ARRAY(SELECT ARRAY[pn.nspname::text, p.relname::text]
             FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
             JOIN pg_namespace pn ON pn.oid = p.relnamespace
             WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
       concat_ws(' ', CASE WHEN c.relrowsecurity THEN 'enabled' END,
                      CASE WHEN c.relforcerowsecurity THEN 'forced' END),
       c.relreplident::text || coalesce(
         (SELECT ' ' || ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
          WHERE i.indrelid = c.oid AND i.indisreplident AND c.relreplident = 'i'), ''),
       coalesce((SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace), ''),
       coalesce((SELECT m.amname FROM pg_am m WHERE m.oid = c.relam), ''),
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE """
_TABLES = "AND c.relkind IN ('r', 'p', 'f')"
_FIND = text(
    f"{_SELECT} n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'f')"
)


read = Catalog(f"{_SELECT} {TABLES_IN_SCOPE} ORDER BY n.nspname, c.relname", TableRecord)
"""Reads every table of the scope's schemas, extensions' own left out."""


def find(connection: Connection, schema: str | None, name: str) -> TableRecord | None:
    """Read one table.

    Args:
        connection: Where to read.
        schema: Its schema; None for the first of the search path.
        name: The table.
    """
    if schema is None:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    with pinned(connection):
        row = connection.execute(_FIND, {"schema": schema, "name": name}).one_or_none()
    return None if row is None else TableRecord(*map(frozen, row))
