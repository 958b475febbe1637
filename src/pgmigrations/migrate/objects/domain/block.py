"""The block of PL/pgSQL that looks at a domain before it acts, for `--sql` output.

It does what `look` does while it is connected: each text is made as a throwaway, and what the
server prints of it is compared.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmigrations.migrate.core.quoting import do_block, literal, text_array
from pgmigrations.migrate.objects.domain.look import COPY

BASE = """format_type(t.typbasetype, t.typtypmod)
    || CASE WHEN t.typcollation IN (0, b.typcollation) THEN ''
            ELSE ' COLLATE ' || t.typcollation::regcollation::text END"""
"""What a domain `t` over a type `b` is over."""

DEFAULT = "coalesce(' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), '')"
NOT_NULL = "CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END"


def constraints(condition: str = "true") -> str:
    """Write the expression of the checks of a domain `t`, as CREATE DOMAIN says them."""
    return f"""coalesce((
    SELECT string_agg(format(' CONSTRAINT %I %s', k.conname,
                             -- CREATE DOMAIN has no word for NOT VALID.
                             CASE WHEN k.convalidated THEN pg_get_constraintdef(k.oid)
                                  ELSE left(pg_get_constraintdef(k.oid), -10) END),
                      '' ORDER BY k.conname)
    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND {condition}), '')"""


WHOLE = f"{BASE} || {DEFAULT} || {NOT_NULL} || {constraints()}"
"""All that follows AS."""


def validity(schema: str | None, domain: str, name: str, *, valid: bool) -> str:
    """Write the condition that a check is there and validated, or is there and not."""
    place = literal(schema) if schema else "pg_catalog.current_schema()"
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_type t ON t.oid = k.contypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = {place} AND t.typname = {literal(domain)}
      AND k.conname = {literal(name)} AND k.convalidated = {str(valid).lower()})"""


def looking_block(
    schema: str | None, name: str, found: str, texts: Sequence[str], act: str, *, over: bool
) -> str:
    """Write the block.

    Args:
        schema: The domain's schema; None for the first of the search path.
        name: The domain.
        found: The expression of what is there, of a domain `t` over a type `b`.
        texts: What it may be.
        act: Statements that use `found`, NULL where there is no such domain, and `printed`, the
            texts as the server prints them, NULL where it cannot make one.
        over: Whether the texts leave out what the domain is over.
    """
    return do_block(f"""\
DECLARE
  place text := {literal(schema) if schema else "current_schema()"};
  path text := current_setting('search_path');
  texts text[] := {text_array(texts)};
  printed text[] := '{{}}';
  beneath text := '';
  found text;
  said text;
  again text;
BEGIN
  -- With nothing on the path, every name is printed with its schema.
  PERFORM set_config('search_path', 'pg_catalog', true);
  SELECT {f"{BASE} || ' '" if over else "''"}, {found}
  INTO beneath, found
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_type b ON b.oid = t.typbasetype
  WHERE n.nspname = place AND t.typname = {literal(name)} AND t.typtype = 'd';
  PERFORM set_config('search_path', path, true);
  IF found IS NOT NULL THEN
    FOREACH said IN ARRAY found || texts LOOP
      again := NULL;
      BEGIN
        said := beneath || said;
        -- What is printed at first prints another time when it is read again.
        FOR number IN 1..2 LOOP
          PERFORM set_config('search_path', path, true);
          EXECUTE 'CREATE DOMAIN pg_temp.{COPY} AS ' || said;
          PERFORM set_config('search_path', 'pg_catalog', true);
          SELECT {WHOLE} INTO again
          FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype
          WHERE t.oid = to_regtype('pg_temp.{COPY}');
          DROP DOMAIN pg_temp.{COPY};
          said := again;
        END LOOP;
        -- Takes the copy back.
        RAISE EXCEPTION 'printed';
      EXCEPTION WHEN OTHERS THEN
        NULL;
      END;
      printed := array_append(printed, again);
    END LOOP;
    found := coalesce(printed[1], beneath || found);
    printed := printed[2:];
  END IF;
{act}
END""")
