"""Enumerated types as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import Catalog
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class EnumRecord(Record):
    """An enumerated type with its labels in order."""

    kind: ClassVar[str] = "enum"
    labels: tuple[str, ...]


_READ = """
SELECT n.nspname, t.typname,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
       coalesce(used.places, '{}') AS places, coalesce(used.elsewhere, false) AS elsewhere
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT ARRAY[tn.nspname::text, c.relname::text,
                                  coalesce(a.attname::text, '')])
           FILTER (WHERE c.oid IS NOT NULL) AS places,
         bool_or(c.oid IS NULL) AS elsewhere
  FROM pg_depend d
  CROSS JOIN LATERAL (SELECT
    CASE d.classid
      WHEN 'pg_class'::regclass THEN coalesce(
        (SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = d.objid), d.objid)
      WHEN 'pg_attrdef'::regclass THEN
        (SELECT f.adrelid FROM pg_attrdef f WHERE f.oid = d.objid)
      WHEN 'pg_constraint'::regclass THEN
        (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = d.objid)
      WHEN 'pg_policy'::regclass THEN
        (SELECT p.polrelid FROM pg_policy p WHERE p.oid = d.objid)
      WHEN 'pg_trigger'::regclass THEN
        (SELECT g.tgrelid FROM pg_trigger g WHERE g.oid = d.objid)
    END AS relation,
    CASE d.classid
      WHEN 'pg_class'::regclass THEN d.objsubid
      WHEN 'pg_attrdef'::regclass THEN
        (SELECT f.adnum FROM pg_attrdef f WHERE f.oid = d.objid)
      ELSE 0
    END AS number) place
  LEFT JOIN pg_class c ON c.oid = place.relation AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_namespace tn ON tn.oid = c.relnamespace
  LEFT JOIN pg_attribute a
    ON a.attrelid = c.oid AND a.attnum = place.number AND place.number > 0
  WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
    AND NOT (d.classid = 'pg_type'::regclass AND d.objid = t.typarray)
    -- What a table has from its parent goes with the parent's.
    AND NOT coalesce(c.relispartition OR (a.attinhcount > 0 AND NOT a.attislocal), false)) used
WHERE t.typtype = 'e' AND n.nspname = ANY(:schemas)
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY n.nspname, t.typname
"""

_FIND = text("""
SELECT t.typtype,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = coalesce(:schema, current_schema()) AND t.typname = :name
""")

_TYPE_WORDS = {"b": "base type", "c": "composite type or table", "d": "domain", "r": "range type"}


def _record(
    schema: str, name: str, labels: tuple[str, ...], places: Any, elsewhere: bool
) -> EnumRecord:
    """One that a composite type, a domain, a function, a view or a foreign table needs is not ours.

    Nothing here could drop those first.
    """
    used_by = frozenset((table_schema, table, column) for table_schema, table, column in places)
    return EnumRecord(schema, name, labels, used_by=used_by, is_ours=not elsewhere)


read = Catalog(_READ, _record)
"""Reads every enum of the scope's schemas, extensions' own left out."""


def find(connection: Connection, schema: str | None, name: str) -> tuple[str, ...] | str | None:
    """Look one type up.

    Returns:
        Its labels; or what it is, in words, if it is no enum; or None if there is none.
    """
    row = connection.execute(_FIND, {"schema": schema, "name": name}).one_or_none()
    if row is None:
        return None
    return tuple(row.labels) if row.typtype == "e" else _TYPE_WORDS.get(row.typtype, "type")
