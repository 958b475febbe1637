"""What models use and do not declare, copied into the scratch database from the target."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.borrowed_query import BORROWED
from pgmigrations.migrate.core.quoting import do_block, identifier, text_array


@dataclass(frozen=True)
class Item:
    """Something that is copied.

    Attributes:
        schema: Where it is; empty for what is in none.
        name: Of a type or sequence, or of what is in no schema.
        making: The statement that makes it.
        returning: The one that takes it out again where nothing uses it; for sequences alone.
    """

    schema: str
    name: str
    making: str
    returning: str


@dataclass(frozen=True)
class Borrowed:
    """What is copied into a scratch database."""

    items: tuple[Item, ...]

    @property
    def making(self) -> str:
        """Write the SQL that makes all of it that is not there and can be made."""
        return _tried([one.making for one in self.items])

    @property
    def returning(self) -> str:
        """Write the SQL that takes out again what nothing uses."""
        return _tried([one.returning for one in self.items if one.returning])

    def without(
        self, tables: Collection[tuple[str, str]], others: Collection[tuple[str, str]]
    ) -> Borrowed:
        """Leave out what has the name of something of the models.

        Args:
            tables: (schema, name) of tables, which neither a type nor a sequence may have.
            others: Those of other relations, which no sequence may have.
        """
        return Borrowed(
            tuple(
                one
                for one in self.items
                if (one.schema, one.name) not in tables
                and not (one.returning and (one.schema, one.name) in others)
            )
        )

    def without_named(self, statement: str, message: str) -> Borrowed:
        """Leave out what a statement of the project's own, of unknown names, cannot do with.

        Args:
            statement: The statement.
            message: What the server says of it, in whatever language: the name is in it.
        """
        return Borrowed(
            tuple(
                one
                for one in self.items
                if not one.name
                or not _says(message, one.name)
                or not (_says(statement, one.name) or identifier(one.name) in statement)
            )
        )


def _says(text: str, name: str) -> bool:
    """Tell whether a name is in a text, not as a part of another."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def borrow(target: Connection, declared: Collection[tuple[str, str]]) -> Borrowed:
    """Read what there is to copy, in one statement, and write the one that makes it.

    The order is the server's: what fails is tried again after the rest, until nothing more can be
    made. What then cannot (a function on tables that are not there yet, an operator class without
    being superuser) is left out. A model that uses something that was left out is refused by the
    server when it is created, by name.

    Args:
        target: Where the objects are.
        declared: (schema, name) of the types and sequences that the models create themselves.
    """
    return Borrowed(
        tuple(
            Item(*row)
            for row in target.execute(text(BORROWED)).all()
            if (row[0], row[1]) not in declared
        )
    )


def borrowed_digest() -> str:
    """Write an expression: a digest of all that `borrow` would copy.

    Its parameter is `declared_names`, JSON arrays of the schema and name of what the models create
    themselves.
    """
    return f"""
SELECT encode(sha256(convert_to(coalesce(string_agg(b.statement, chr(10)), ''), 'UTF8')), 'hex')
FROM ({BORROWED}) AS b (schema, name, statement, undone)
WHERE json_build_array(b.schema, b.name)::text <> ALL(:declared_names)"""


def _tried(statements: list[str]) -> str:
    """Write a statement that runs others, in whatever order they succeed."""
    # Bodies speak of tables that come later.
    return do_block(f"""DECLARE
  pending text[] := {text_array(statements)};
  rest text[];
  one text;
BEGIN
  PERFORM pg_catalog.set_config('check_function_bodies', 'off', true);
  LOOP
    rest := ARRAY[]::text[];
    FOREACH one IN ARRAY pending LOOP
      BEGIN
        EXECUTE one;
      EXCEPTION WHEN OTHERS THEN
        rest := pg_catalog.array_append(rest, one);
      END;
    END LOOP;
    EXIT WHEN pg_catalog.cardinality(rest) IN (0, pg_catalog.cardinality(pending));
    pending := rest;
  END LOOP;
END""")
