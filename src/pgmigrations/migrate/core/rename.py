"""The base of the operations that give something another name."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject, Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal


@dataclass(eq=False)
class Rename(Operation, abc.ABC):
    """`… RENAME TO`, unless that is done.

    A subclass says how it looks and what it runs. The new name alone being there means that it is
    done; both, or neither, that something else is wrong.
    """

    phase: ClassVar[Phase] = Phase.RENAME

    @abc.abstractmethod
    def names(self) -> tuple[str, str]:
        """Return the name before and the name afterwards."""

    @abc.abstractmethod
    def condition(self, name: str) -> str:
        """Write the SQL condition that something of this sort has a name."""

    @abc.abstractmethod
    def shown(self, name: str) -> str:
        """Call it by a name, as messages do."""

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"{self.shown(self.names()[0])} to {self.names()[1]}"

    def pending(self, connection: Connection) -> bool:
        """Look which of the two names is there."""
        old, new = self.names()
        look = f"SELECT {self.condition(old)}, {self.condition(new)}"
        options = {"no_parameters": True}
        is_old, is_new = connection.exec_driver_sql(look, execution_options=options).one()
        if is_old and is_new:
            raise DifferentObject(self.shown(new), f"{old} to be called that", f"{old} beside it")
        if not is_old and not is_new:
            raise MissingObject(self.shown(old), f"There is no {new} either")
        return bool(is_old)

    def guarded_statements(self) -> Sequence[str]:
        """Return a block that renames unless the new name alone is there."""
        old, new = self.names()
        work = "\n    ".join(f"EXECUTE {literal(one)};" for one in self.statements())
        return [
            do_block(f"""\
BEGIN
  IF {self.condition(old)}
    OR NOT {self.condition(new)} THEN
    {work}
  END IF;
END""")
        ]


def server_names_block(
    schema: str | None,
    table: str,
    tables: tuple[str, str],
    columns: tuple[str, str] | None = None,
) -> str:
    """Write a block that renames what the server has named after a table or a column.

    These are the NOT NULL constraints of PostgreSQL 18 and the sequences of identity columns, which
    no model names; a name that is somebody's own choice stays, and so does one whose new name is
    taken. The names are cut as the server cuts them (makeObjectName() in its sources).

    Args:
        schema: The table's schema; None for the first of the search path.
        table: The table as it is called now.
        tables: Its name before and now.
        columns: The name of the one column that is renamed, before and now; None for all columns
            as they are called.
    """
    place = literal(schema) if schema else "pg_catalog.current_schema()"
    only = f"a.attname = {literal(columns[1])}" if columns else "true"
    old_column = literal(columns[0]) if columns else "one.attname::text"
    return do_block(f"""\
DECLARE
  table_names text[] := ARRAY[{literal(tables[0])}, {literal(tables[1])}]::text[];
  one record;
  names text[];
  first text;
  second text;
  size_of_first int;
  size_of_second int;
BEGIN
  FOR one IN
    SELECT n.nspname, c.relname, a.attname, label.label, k.name
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN (VALUES ('not_null'), ('seq')) AS label (label)
    CROSS JOIN LATERAL (
      SELECT o.conname::text FROM pg_catalog.pg_constraint o
      WHERE label.label = 'not_null' AND o.conrelid = c.oid AND o.contype = 'n'
        AND o.conkey = ARRAY[a.attnum] AND o.conislocal
      UNION ALL
      SELECT s.relname::text FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relnamespace = c.relnamespace
      WHERE label.label = 'seq' AND a.attidentity <> '' AND d.deptype = 'i'
        AND d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = c.oid AND d.refobjsubid = a.attnum) AS k (name)
    WHERE n.nspname = {place} AND c.relname = {literal(table)}
      AND a.attnum > 0 AND NOT a.attisdropped AND {only}
  LOOP
    names := '{{}}';
    FOR number IN 1 .. 2 LOOP
      first := table_names[number];
      second := CASE number WHEN 1 THEN {old_column} ELSE one.attname::text END;
      size_of_first := octet_length(first);
      size_of_second := octet_length(second);
      WHILE size_of_first + size_of_second > 61 - octet_length(one.label) LOOP
        IF size_of_first > size_of_second THEN
          size_of_first := size_of_first - 1;
        ELSE
          size_of_second := size_of_second - 1;
        END IF;
      END LOOP;
      WHILE octet_length(first) > size_of_first LOOP first := left(first, -1); END LOOP;
      WHILE octet_length(second) > size_of_second LOOP second := left(second, -1); END LOOP;
      names := names || (first || '_' || second || '_' || one.label);
    END LOOP;
    CONTINUE WHEN one.name <> names[1] OR names[1] = names[2];
    IF one.label = 'seq' THEN
      CONTINUE WHEN EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = one.nspname AND c.relname = names[2]);
      EXECUTE format('ALTER SEQUENCE %I.%I RENAME TO %I', one.nspname, names[1], names[2]);
    ELSE
      CONTINUE WHEN EXISTS (
        SELECT FROM pg_catalog.pg_constraint o
        JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = one.nspname AND c.relname = one.relname AND o.conname = names[2]);
      EXECUTE format('ALTER TABLE %I.%I RENAME CONSTRAINT %I TO %I',
                     one.nspname, one.relname, names[1], names[2]);
    END IF;
  END LOOP;
END""")
