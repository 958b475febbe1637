"""The block that alters what counts, where its position may lie outside its new limits."""

from __future__ import annotations

from pgmigrations.migrate.core.quoting import do_block, literal


def identity_sequence(table: str, column: str) -> str:
    """Write an expression for the sequence of an identity column.

    `pg_get_serial_sequence()` takes one that the column owns besides for it.

    Args:
        table: The table, quoted where need be.
        column: The column, unquoted.
    """
    return f"""(
  SELECT d.objid::regclass
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = {literal(table)}::regclass
    AND a.attname = {literal(column)}
    AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i')"""


def within_limits(
    sequence: str,
    change: str,
    *,
    low: int | None = None,
    high: int | None = None,
    step: int | None = None,
) -> str:
    """Write a block that alters a sequence, which goes on at the nearest number that is allowed.

    The server refuses limits that the position lies outside of (manual, ALTER SEQUENCE). One that
    has counted beyond its new end has no number left, unless it cycles.

    Args:
        sequence: An expression for its name, quoted where need be.
        change: The statement; RESTART may follow it.
        low: Its lowest number after; None for the one that it has.
        high: Its highest number after.
        step: Its increment after.
    """
    lowest = "q.seqmin" if low is None else low
    highest = "q.seqmax" if high is None else high
    increment = "q.seqincrement" if step is None else step
    return do_block(f"""\
DECLARE
  counted regclass := {sequence};
  place bigint;
  nearest bigint;
  is_spent boolean;
BEGIN
  EXECUTE format('SELECT last_value FROM %s', counted) INTO place;
  SELECT least(greatest(place, {lowest}), {highest}),
         CASE WHEN {increment} > 0 THEN place > {highest} ELSE place < {lowest} END
  INTO nearest, is_spent
  FROM pg_catalog.pg_sequence q WHERE q.seqrelid = counted;
  IF nearest = place THEN
    {change};
  ELSE
    EXECUTE {literal(f"{change} RESTART WITH ")} || nearest;
    IF is_spent THEN
      PERFORM pg_catalog.setval(counted, nearest, true);
    END IF;
  END IF;
END""")
