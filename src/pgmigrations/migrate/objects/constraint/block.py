"""The block of PL/pgSQL that looks at a constraint before it acts, for `--sql` output.

It does what `look` does while it is connected: the definitions are made on an empty copy of the
table, and what the server prints of them is compared.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmigrations.migrate.core.quoting import do_block, literal, text_array
from pgmigrations.migrate.objects.constraint.look import COPY

IS_FIRST = "found = coalesce(printed[1], definitions[1])"
"""Condition: the constraint is there as the first of the definitions says."""


def is_other_than(number: int) -> str:
    """Write the condition: a definition can be made, and the constraint that is there differs.

    Args:
        number: Which of the definitions, from 1.
    """
    return f"found <> printed[{number}]"


def looking_block(
    schema: str | None,
    table: str,
    name: str,
    definitions: Sequence[str],
    act: str,
    *,
    may_be_done: str = "true",
) -> str:
    """Write the block.

    Args:
        schema: The table's schema; None for the first of the search path.
        table: The table.
        name: The constraint.
        definitions: What it may be.
        act: Statements that use `found`, NULL where there is none, `printed`, the definitions as
            the server prints them, NULL where it cannot make one, `note`, its comment, `is_local`,
            whether it is the table's own, and `may_be_done`.
        may_be_done: A condition, looked at with nothing on the search path.
    """
    return do_block(f"""\
DECLARE
  place text := {literal(schema) if schema else "current_schema()"};
  relation text := {literal(table)};
  definitions text[] := {text_array(definitions)};
  printed text[] := '{{}}';
  path text := current_setting('search_path');
  found text;
  note text;
  is_local boolean;
  may_be_done boolean;
  definition text;
  again text;
  copy text;
  persistence text;
BEGIN
  -- With nothing on the path, every name is printed with its schema.
  PERFORM set_config('search_path', 'pg_catalog', true);
  SELECT pg_get_constraintdef(k.oid), coalesce(obj_description(k.oid, 'pg_constraint'), ''),
         k.conislocal
  INTO found, note, is_local
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = place AND c.relname = relation AND k.conname = {literal(name)};
  may_be_done := {may_be_done};
  PERFORM set_config('search_path', path, true);
  IF found IS NOT NULL THEN
    FOREACH definition IN ARRAY found || definitions LOOP
      again := NULL;
      BEGIN
        IF upper(definition) LIKE 'FOREIGN KEY%' THEN
          copy := format('%I.%I', place, {literal(COPY)});
          persistence := 'UNLOGGED';
        ELSE
          copy := format('pg_temp.%I', relation);
          persistence := 'TEMP';
        END IF;
        EXECUTE format('CREATE %s TABLE %s (LIKE %I.%I)', persistence, copy, place, relation);
        -- What is printed at first prints another time when it is read again.
        FOR number IN 1..2 LOOP
          PERFORM set_config('search_path', path, true);
          EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', copy, {literal(COPY)}, definition);
          PERFORM set_config('search_path', 'pg_catalog', true);
          SELECT pg_get_constraintdef(k.oid) INTO again
          FROM pg_constraint k WHERE k.conrelid = copy::regclass AND k.conname = {literal(COPY)};
          EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', copy, {literal(COPY)});
          definition := again;
        END LOOP;
        -- Takes the copy back.
        RAISE EXCEPTION 'printed';
      EXCEPTION WHEN OTHERS THEN
        NULL;
      END;
      printed := array_append(printed, again);
    END LOOP;
    found := coalesce(printed[1], found);
    printed := printed[2:];
  END IF;
{act}
END""")


def refusal(subject: str) -> str:
    """Write the statement that stops where another constraint is there."""
    return f"RAISE EXCEPTION '% is there, but differs: %', {literal(subject)}, found;"
