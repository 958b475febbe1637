"""Constraints as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pgmigrations.migrate.core.catalog import INCLUDED, TABLES_IN_SCOPE, Catalog
from pgmigrations.migrate.core.snapshot import Identity, Record


@dataclass(frozen=True)
class ConstraintRecord(Record):
    """A constraint of a table, by the definition that the server prints.

    Attributes:
        sort: `check`, `foreign key`, `primary key`, `unique` or `exclusion`.
        columns: Names of its columns, in order; for a foreign key those of the referring side, for
            an exclusion constraint all that it is on, those of its condition included.
        referred_table: (schema, name) of a foreign key's other side; empty for the rest.
        comment: Empty where there is none.
        index_settings: What its index has besides: storage parameters, `clustered`, `tablespace=`
            and its name, sorted; empty for a constraint without an index of its own.
        referred_key: Name of the key that a foreign key rests on; no part of its definition.
        referred_columns: Its columns on the other side, in order; no part of its definition.
        included: What a key has by INCLUDE, in order; said by its definition, too.
        is_generic: Whether a foreign key compares a column by an operator of many types, as those
            of enums, arrays and ranges are; no part of its definition.
    """

    kind: ClassVar[str] = "constraint"
    table: str
    sort: str
    definition: str
    columns: tuple[str, ...]
    referred_table: tuple[str, ...]
    comment: str
    index_settings: tuple[str, ...]
    referred_key: str = field(compare=False, repr=False)
    referred_columns: tuple[str, ...] = field(compare=False, repr=False)
    included: tuple[str, ...] = field(compare=False, repr=False)
    is_generic: bool = field(compare=False, repr=False)

    @property
    def identity(self) -> Identity:
        """A constraint's name is unique within its table only."""
        return (self.kind, self.schema, self.table, self.name)

    @property
    def relation(self) -> tuple[str, str]:
        """Its table."""
        return (self.schema, self.table)

    @property
    def referred_relations(self) -> tuple[tuple[str, str], ...]:
        """The other side of a foreign key."""
        if not self.referred_table or self.referred_table == self.relation:
            return ()
        return ((self.referred_table[0], self.referred_table[1]),)

    @property
    def joined_columns(self) -> tuple[tuple[str, str, str], ...]:
        """Both ends of a foreign key."""
        if not self.referred_table:
            return ()
        schema, table = self.referred_table
        return (
            *((*self.relation, name) for name in self.columns),
            *((schema, table, name) for name in self.referred_columns),
        )

    @property
    def included_columns(self) -> tuple[str, ...]:
        """Of a key."""
        return self.included

    @property
    def takes_relation_name(self) -> bool:
        """Of those that have an index."""
        return self.sort in ("primary key", "unique", "exclusion")

    @property
    def filter_type(self) -> str:
        """Alembic's words for the sorts that it has words for."""
        return self.sort.replace(" ", "_") + "_constraint"


INDEX_SETTINGS = """
ARRAY(SELECT o.setting FROM pg_class x
      JOIN pg_index xi ON xi.indexrelid = x.oid
      LEFT JOIN pg_tablespace s ON s.oid = x.reltablespace
      CROSS JOIN LATERAL (
        SELECT unnest(x.reloptions) AS setting
        UNION ALL SELECT 'clustered' WHERE xi.indisclustered
        UNION ALL SELECT 'tablespace=' || s.spcname WHERE s.oid IS NOT NULL) o
      WHERE k.contype IN ('p', 'u', 'x') AND x.oid = k.conindid ORDER BY 1)"""
"""What the index of a constraint `k` has besides its definition."""

# NOT NULL (contype n, PostgreSQL 18) is a property of the column, read with it. What a table
# inherits is shown where it was declared.
read = Catalog(
    f"""
SELECT n.nspname, k.conname, c.relname,
       CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                      WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
       pg_get_constraintdef(k.oid),
       ARRAY(SELECT a.attname::text
             FROM (SELECT y.number, y.place
                   FROM unnest(k.conkey) WITH ORDINALITY AS y (number, place)
                   WHERE k.contype <> 'x'
                   UNION SELECT d.refobjsubid, 0 FROM pg_depend d
                   WHERE k.contype = 'x' AND d.classid = 'pg_class'::regclass
                     AND d.objid = k.conindid AND d.refclassid = 'pg_class'::regclass
                     AND d.refobjid = k.conrelid
                   UNION SELECT number, 0 FROM unnest(k.conkey) number
                   WHERE k.contype = 'x') y
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = y.number
             ORDER BY y.place, a.attname),
       ARRAY(SELECT x::text FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace,
                    unnest(ARRAY[rn.nspname, rc.relname]) WITH ORDINALITY AS y (x, place)
             WHERE rc.oid = k.confrelid ORDER BY place),
       coalesce(obj_description(k.oid, 'pg_constraint'), ''),
       {INDEX_SETTINGS},
       coalesce((SELECT i.relname FROM pg_class i
                 WHERE k.contype = 'f' AND i.oid = k.conindid), ''),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS y (number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = y.number
             ORDER BY y.place),
       {INCLUDED},
       k.contype = 'f' AND EXISTS (
         SELECT FROM pg_operator o JOIN pg_type t ON t.oid = o.oprright
         WHERE o.oid = ANY (k.conpfeqop) AND t.typtype = 'p')
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conislocal AND {TABLES_IN_SCOPE}
ORDER BY n.nspname, c.relname, k.conname
""",
    ConstraintRecord,
)
"""Reads every constraint of the scope's tables."""
