"""What the operations on indexes have in common when they look before they act."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.quoting import literal, qualified
from pgmigrations.migrate.objects.index.catalog import BODY, PROBE, START
from pgmigrations.migrate.objects.index.definition import Definition


@dataclass(frozen=True)
class Found:
    """An index as it is.

    Attributes:
        table: Its table.
        definition: As the server prints it.
        probe: The statement that makes the same on an empty copy of its table.
        is_valid: False for what a killed CREATE INDEX CONCURRENTLY left behind.
        is_replica_identity: Whether replication finds rows by it.
        constraint: The constraint that it belongs to; empty where there is none.
        options: Tablespace, statistics, clustered, comment, as the operations take them.
    """

    table: str
    definition: str
    probe: str
    is_valid: bool
    is_replica_identity: bool
    constraint: str
    options: dict[str, object]


_SOURCE = """
FROM pg_catalog.pg_class o
JOIN pg_catalog.pg_index i ON i.indexrelid = o.oid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"""
_FIND = f"""
SELECT c.relname, {START} || quote_ident(o.relname) || ' ON ' || quote_ident(n.nspname) || '.'
         || quote_ident(c.relname) || ' ' || {BODY},
       {PROBE}, i.indisvalid AND i.indisready, i.indisreplident,
       coalesce((SELECT k.conname::text FROM pg_constraint k
                 WHERE k.conindid = o.oid AND k.contype IN ('p', 'u', 'x')), ''),
       coalesce((SELECT s.spcname::text FROM pg_tablespace s WHERE s.oid = o.reltablespace), ''),
       ARRAY(SELECT a.attnum || '=' || a.attstattarget FROM pg_attribute a
             WHERE a.attrelid = o.oid AND a.attstattarget >= 0 ORDER BY a.attnum),
       i.indisclustered, coalesce(obj_description(o.oid, 'pg_class'), '')
{_SOURCE}"""


def shown(schema: str | None, name: str) -> str:
    """Name an index in messages."""
    return f"index {schema}.{name}" if schema else f"index {name}"


def is_index(schema: str | None, name: str) -> str:
    """Write the condition on an index `o` in schema `n`."""
    place = literal(schema) if schema else "pg_catalog.current_schema()"
    return f"n.nspname = {place} AND o.relname = {literal(name)}"


def lookup(schema: str | None, name: str, condition: str = "true") -> str:
    """Write a condition: whether there is such an index."""
    return f"EXISTS (SELECT {_SOURCE} WHERE {is_index(schema, name)} AND {condition})"


def find(connection: Connection, schema: str | None, name: str) -> Found | None:
    """Look one index up, in the first schema of the search path where none is said."""
    if schema is None:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    condition = text(f"{_FIND} WHERE n.nspname = :schema AND o.relname = :name")
    with pinned(connection):
        row = connection.execute(condition, {"schema": schema, "name": name}).one_or_none()
    if row is None:
        return None
    table, definition, probe, is_valid, is_replica_identity, constraint, *properties = row
    options = dict(
        zip(("tablespace", "statistics", "clustered", "comment"), properties, strict=True)
    )
    return Found(table, definition, probe, is_valid, is_replica_identity, constraint, options)


_IS_VALID = text("""
SELECT i.indisvalid AND i.indisready,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
               WHERE p.index_relid = i.indexrelid)
FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass(:name)
""")
_LOOK_AGAIN_AFTER = 0.5


def is_built(connection: Connection, schema: str | None, name: str) -> bool:
    """Wait for the session that is building an index, if there is one, and tell whether it is done.

    Args:
        connection: In autocommit, since a build waits for transactions.
        schema: The index's schema.
        name: The index.
    """
    while True:
        row = connection.execute(_IS_VALID, {"name": qualified(schema, name)}).one_or_none()
        if row is None or row[0] or not row[1]:
            return row is not None and bool(row[0])
        time.sleep(_LOOK_AGAIN_AFTER)


def printed(connection: Connection, schema: str | None, table: str, probe: str) -> str | None:
    """Make an index on an empty copy of the table, and return how the server prints it.

    What the server prints at first is no fixed point: it prints some expressions in another way
    once they have been read back, and versions differ. So it is made twice.

    Args:
        connection: In a transaction; nothing of it stays.
        schema: The table's schema.
        table: The table.
        probe: The statement, as `Definition.probe`.

    Returns:
        The definition, to compare with another's; None where it cannot be made on the table.
    """
    savepoint = connection.begin_nested()
    try:
        _send(connection, f"CREATE TEMPORARY TABLE pgm_copy (LIKE {qualified(schema, table)})")
        _send(connection, probe)
        with pinned(connection):
            first: str = connection.execute(text(_PRINTED)).scalar_one()
        _send(connection, "DROP INDEX pg_temp.pgm_probe")
        _send(connection, first)
        with pinned(connection):
            found: str = connection.execute(text(_PRINTED)).scalar_one()
        return found
    except DBAPIError:
        return None
    finally:
        savepoint.rollback()


def is_same(
    connection: Connection, schema: str | None, found: Found, definition: Definition
) -> bool:
    """Ask the server whether an index that is there has the wanted definition."""
    if found.constraint or found.table != definition.table:
        return False
    if found.probe == definition.probe:
        return True
    wanted = printed(connection, schema, definition.table, definition.probe)
    if wanted is None:
        return False
    return wanted == printed(connection, schema, found.table, found.probe)


def guard(
    schema: str | None,
    name: str,
    wanted: Definition,
    old: Definition | None,
    work: str,
    *,
    may_be_done: str = "true",
) -> str:
    """Write a `DO` block's body that looks, and does the work where the index is not as wanted.

    Args:
        schema: The index's schema.
        name: The index.
        wanted: What it should be: then nothing is done.
        old: What it may be instead; None where it may only be missing.
        work: Statements, each with its semicolon.
        may_be_done: A condition, looked at with nothing on the search path: else one that is as
            wanted is taken for the old one.
    """
    probes = ", ".join(literal(one.probe) for one in (wanted, old or wanted))
    tables = ", ".join(literal(qualified(schema, one.table)) for one in (wanted, old or wanted))
    place = is_index(schema, name)
    may_be_old = "printed[1] = printed[3]" if old is not None else "false"
    return f"""\
DECLARE
  path text := current_setting('search_path');
  probes text[] := ARRAY[{probes}];
  tables text[] := ARRAY[{tables}];
  printed text[] := '{{}}';
  here oid;
  valid boolean;
  may_be_done boolean;
  found text;
  one text;
BEGIN
  SELECT o.oid, i.indisvalid AND i.indisready INTO here, valid
  {_SOURCE} WHERE {place};
  IF here IS NOT NULL THEN
    PERFORM set_config('search_path', 'pg_catalog', true);
    SELECT {PROBE}, quote_ident(n.nspname) || '.' || quote_ident(c.relname) INTO found, one
    {_SOURCE} WHERE o.oid = here;
    may_be_done := {may_be_done};
    PERFORM set_config('search_path', path, true);
    probes := found || probes;
    tables := one || tables;
    FOR number IN 1 .. array_length(probes, 1) LOOP
      one := NULL;
      BEGIN
        EXECUTE 'CREATE TEMPORARY TABLE pgm_copy (LIKE ' || tables[number] || ')';
        EXECUTE probes[number];
        PERFORM set_config('search_path', 'pg_catalog', true);
        one := pg_get_indexdef(to_regclass('pg_temp.pgm_probe'));
        -- What is printed at first prints another time when it is read again.
        DROP INDEX pg_temp.pgm_probe;
        EXECUTE one;
        one := pg_get_indexdef(to_regclass('pg_temp.pgm_probe'));
        RAISE EXCEPTION 'taken back';
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
      printed := array_append(printed, to_regclass(tables[number])::oid || ' ' || one);
    END LOOP;
  END IF;
  IF here IS NULL OR NOT valid OR coalesce({may_be_old}
      AND (printed[1] IS DISTINCT FROM printed[2] OR NOT may_be_done), false) THEN
    {work}
  ELSIF printed[1] IS DISTINCT FROM printed[2] THEN
    RAISE EXCEPTION '% is there, but differs: %', {literal(shown(schema, name))},
      pg_get_indexdef(here);
  END IF;
END"""


_PRINTED = "SELECT pg_get_indexdef('pg_temp.pgm_probe'::regclass)"


def _send(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
