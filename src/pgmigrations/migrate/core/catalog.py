"""What every reader of the catalogs has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, TextClause, text

from pgmigrations.migrate.core.snapshot import R, Scope

PINNED = {
    # Nothing is on the path, so every name is printed with its schema.
    "search_path": "pg_catalog",
    # Literals in defaults and checks print by these.
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}

NOT_OF_AN_EXTENSION = """
NOT EXISTS (SELECT FROM pg_depend x
            WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')"""
"""Condition on a relation `c`: an extension's own tables are the extension's business."""

TABLES_IN_SCOPE = f"""
c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
AND n.nspname = ANY(:schemas) AND {NOT_OF_AN_EXTENSION}"""
"""Condition on a table `c` in schema `n`; partitions are shown with their parent."""

TYPE_NOT_OF_AN_EXTENSION = """
NOT EXISTS (SELECT FROM pg_depend x
            WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')"""
"""Condition on a type `t`: an extension's own types are the extension's business."""

USERS_OF_TYPE = """\
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(DISTINCT ARRAY[
           coalesce(tn.nspname, mn.nspname)::text, coalesce(c.relname, m.typname)::text,
           coalesce(a.attname::text, '')])
           FILTER (WHERE c.oid IS NOT NULL OR m.oid IS NOT NULL), '{}') AS places,
         coalesce(bool_or(c.oid IS NULL AND m.oid IS NULL), false) AS elsewhere
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
    END AS number,
    CASE d.classid
      WHEN 'pg_type'::regclass THEN d.objid
      WHEN 'pg_constraint'::regclass THEN
        (SELECT k.contypid FROM pg_constraint k WHERE k.oid = d.objid)
    END AS domain) place
  LEFT JOIN pg_class c ON c.oid = place.relation AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_namespace tn ON tn.oid = c.relnamespace
  LEFT JOIN pg_attribute a
    ON a.attrelid = c.oid AND a.attnum = place.number AND place.number > 0
  LEFT JOIN pg_type m ON m.oid = place.domain AND m.typtype = 'd'
  LEFT JOIN pg_namespace mn ON mn.oid = m.typnamespace
  WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
    AND NOT (d.classid = 'pg_type'::regclass AND d.objid = t.typarray)
    -- A domain's own constraints go with it.
    AND m.oid IS DISTINCT FROM t.oid
    -- What a table has from its parent goes with the parent's.
    AND NOT coalesce(c.relispartition OR (a.attinhcount > 0 AND NOT a.attislocal), false)) used"""
"""Lateral join to a type `t`: `used.places` for `users()`, and whether what is neither a table nor
a domain uses it, too: `used.elsewhere`."""


@contextmanager
def pinned(connection: Connection) -> Iterator[None]:
    """Read under settings by which both sides of a comparison print alike.

    The settings before come back at the end, within the same transaction.
    """
    names = list(PINNED)
    before = connection.execute(
        text("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    ).one()
    _set(connection, PINNED)
    try:
        yield
    finally:
        _set(connection, dict(zip(names, before, strict=True)))


def records(
    connection: Connection,
    scope: Scope,
    statement: TextClause,
    record: Callable[..., R],
    relation: Callable[[R], tuple[str, ...]],
) -> Iterator[R]:
    """Read the records of a kind: one statement, whose columns are the record's fields.

    Args:
        connection: Where to read.
        scope: Gives the statement its `schemas`, and tells which relations are left out.
        statement: The query.
        record: The class of the kind's records.
        relation: Tells the (schema, name) of the relation that a record belongs to.
    """
    for row in connection.execute(statement, {"schemas": sorted(scope.schemas)}):
        found = record(*map(frozen, row))
        if relation(found) not in scope.ignore_relations:
            yield found


def users(places: Iterable[Sequence[str]]) -> frozenset[tuple[str, str, str]]:
    """Make of `used.places` what a record's `used_by` says."""
    return frozenset((schema, name, column) for schema, name, column in places)


def frozen(value: Any) -> Any:
    """Make tuples of the arrays that a statement returns."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def _set(connection: Connection, settings: dict[str, str]) -> None:
    calls = ", ".join(f"set_config(:n{i}, :v{i}, true)" for i in range(len(settings)))
    parameters: dict[str, str] = {}
    for number, (name, value) in enumerate(settings.items()):
        parameters |= {f"n{number}": name, f"v{number}": value}
    connection.execute(text(f"SELECT {calls}"), parameters)
