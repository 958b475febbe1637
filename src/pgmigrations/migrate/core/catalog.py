"""What every reader of the catalogs has in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Generic

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.quoting import literal
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

INCLUDED = """
ARRAY(SELECT a.attname::text
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS included (number, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = included.number
      WHERE included.place > i.indnkeyatts ORDER BY included.place)"""
"""The columns that an index `i` in pg_index has by INCLUDE."""

USERS = """\
coalesce(array_agg(DISTINCT ARRAY[
           coalesce(tn.nspname, mn.nspname)::text, coalesce(c.relname, m.typname)::text,
           coalesce(a.attname::text, '')])
           FILTER (WHERE c.oid IS NOT NULL OR m.oid IS NOT NULL), '{}') AS places,
         coalesce(bool_or(c.oid IS NULL AND m.oid IS NULL), false) AS elsewhere"""
"""What `USER` finds of all dependencies: `places` for `users()`, and whether what is neither table
nor domain is among them, too: `elsewhere`."""
USER = """\
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
  LEFT JOIN pg_namespace mn ON mn.oid = m.typnamespace"""
"""Joins to a dependency `d` in pg_depend what depends: a table `c`, a column `a`, a domain `m`."""
USERS_OF_TYPE = f"""\
CROSS JOIN LATERAL (
  SELECT {USERS}
  FROM pg_depend d
  {USER}
  WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
    AND NOT (d.classid = 'pg_type'::regclass AND d.objid = t.typarray)
    -- A domain's own constraints go with it.
    AND m.oid IS DISTINCT FROM t.oid
    -- What a table has from its parent goes with the parent's.
    AND NOT coalesce(c.relispartition OR (a.attinhcount > 0 AND NOT a.attislocal), false)) used"""
"""Lateral join to a type `t`: `used.places` and `used.elsewhere`."""


@contextmanager
def pinned(connection: Connection) -> Iterator[Mapping[str, str]]:
    """Read under settings by which both sides of a comparison print alike.

    The settings before are what it gives, and come back at the end, within the same transaction.
    With them it gives `current_schemas`, what the search path found.
    """
    before = _set(connection, PINNED)
    restored = {name: before[name] for name in PINNED}
    try:
        yield before
    except DBAPIError:
        # They go with the transaction; a statement in it would only hide what went wrong.
        raise
    except BaseException:
        _set(connection, restored)
        raise
    _set(connection, restored)


class Catalog(Generic[R]):
    """How a kind of object is read: a statement, and what a row of it is.

    Called with a connection and a scope, it reads the records in one statement. Several are read
    in one statement by `read_states`.

    Example:
        >>> read = Catalog("SELECT nspname, relname FROM … WHERE nspname = ANY(:schemas)", Record)

    Args:
        statement: The query; its columns are the record's fields, its parameters those of the
            scope. Arrays may be of any depth. A column `places` says what `users()` takes.
        record: The class of the records, or a function that makes one of a row's values.
        is_looked_at: Tells of a record whether the scope leaves it in.
    """

    def __init__(
        self,
        statement: str,
        record: Callable[..., R],
        is_looked_at: Callable[[R, Scope], bool] | None = None,
    ) -> None:
        self.statement = statement
        self._record = record
        self._is_looked_at = is_looked_at

    def __call__(self, connection: Connection, scope: Scope) -> Iterator[R]:
        """Read the records of a scope."""
        statement = text(self.statement)
        named = {key: scope.parameters[key] for key in statement._bindparams}
        found = connection.execute(statement, named)
        return self.records(found, scope)

    @cached_property
    def width(self) -> int:
        """The number of the statement's columns."""
        parameters = inspect.signature(self._record).parameters.values()
        return sum(one.kind is not inspect.Parameter.KEYWORD_ONLY for one in parameters)

    @cached_property
    def places_at(self) -> int | None:
        """Which of the statement's columns is `places`; None where none is."""
        names = list(inspect.signature(self._record).parameters)
        return names.index("places") if "places" in names else None

    def records(self, rows: Iterable[Sequence[Any]], scope: Scope) -> Iterator[R]:
        """Make the records of rows; those of relations that the scope ignores are left out."""
        for row in rows:
            found = self._record(*map(frozen, row))
            place = found.relation or (found.schema, found.name)
            if place not in scope.ignore_relations and (
                self._is_looked_at is None or self._is_looked_at(found, scope)
            ):
                yield found


def users(places: Iterable[Sequence[str]]) -> frozenset[tuple[str, str, str]]:
    """Make of `used.places` what a record's `used_by` says."""
    return frozenset((schema, name, column) for schema, name, column in places)


def frozen(value: Any) -> Any:
    """Make tuples of the arrays that a statement returns."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def _set(connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
    """Set settings for the transaction, and return what they were."""
    names = ["current_schemas", *settings]
    # A list of results is worked off from left to right.
    before = ["pg_catalog.current_schemas(false)::pg_catalog.text"]
    before += [f"pg_catalog.current_setting({literal(name)})" for name in settings]
    after = [
        f"pg_catalog.set_config({literal(name)}, {literal(value)}, true)"
        for name, value in settings.items()
    ]
    sql = f"SELECT {', '.join([*before, *after])}"
    row = connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).one()
    return dict(zip(names, row[: len(names)], strict=True))
