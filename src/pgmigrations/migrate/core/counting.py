"""The blocks that let what counts go on where it can: within its limits, behind the rows."""

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
  WHERE {is_column(table, column)} AND d.refclassid = 'pg_catalog.pg_class'::regclass
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


def counting_on(sequence: str, columns: str) -> str:
    """Write a block that lets a sequence go on behind the values that columns have already.

    Never backwards: what lies before its place, it does not meet, nor what lies beyond its end.

    Args:
        sequence: An expression for its OID.
        columns: The condition that a column `a` of pg_attribute is numbered by it; only numbers
            are looked at.
    """
    return do_block(f"""\
DECLARE
  counted pg_catalog.pg_sequence;
  place record;
  numbered record;
  outermost bigint;
BEGIN
  SELECT q.* INTO counted FROM pg_catalog.pg_sequence q WHERE q.seqrelid = {sequence};
  IF NOT FOUND THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT last_value, is_called FROM %s', counted.seqrelid::regclass) INTO place;
  FOR numbered IN
    SELECT a.attrelid::regclass AS relation, a.attname AS name FROM pg_catalog.pg_attribute a
    WHERE NOT a.attisdropped AND {columns}
      AND (WITH RECURSIVE base AS (
             SELECT a.atttypid AS id
             UNION ALL
             SELECT t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.id
             WHERE t.typtype = 'd')
           SELECT bool_or(b.id IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                   'numeric'::regtype)) FROM base b)
  LOOP
    EXECUTE format('SELECT %s(%I) FROM %s WHERE %2$I BETWEEN $1 AND $2',
                   CASE WHEN counted.seqincrement > 0 THEN 'max' ELSE 'min' END,
                   numbered.name, numbered.relation)
    INTO outermost
    USING CASE WHEN counted.seqincrement > 0 THEN place.last_value ELSE counted.seqmin END,
          CASE WHEN counted.seqincrement > 0 THEN counted.seqmax ELSE place.last_value END;
    IF outermost IS NOT NULL THEN
      PERFORM pg_catalog.setval(counted.seqrelid::regclass, outermost);
      place.last_value := outermost;
    END IF;
  END LOOP;
END""")


def is_column(table: str, column: str) -> str:
    """Write the condition that a column `a` of pg_attribute is a certain one.

    Args:
        table: The table, quoted where need be.
        column: The column, unquoted.
    """
    return f"a.attrelid = {literal(table)}::regclass AND a.attname = {literal(column)}"


def draws_from(sequence: str) -> str:
    """Write the condition that the default of a column `a` takes numbers of a sequence.

    Args:
        sequence: An expression for its OID.
    """
    return f"""(a.attrelid, a.attnum) IN (
      SELECT f.adrelid, f.adnum FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
      WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = {sequence})"""


def drawn_sequence(table: str, column: str) -> str:
    """Write an expression for the sequence that the default of a column takes numbers of.

    Args:
        table: The table, quoted where need be.
        column: The column, unquoted.
    """
    return f"""(
    SELECT min(d.refobjid) FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    JOIN pg_catalog.pg_depend d ON d.objid = f.oid
    JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND {is_column(table, column)})"""
