"""What models use and do not declare, copied into the scratch database from the target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.borrowed_query import BORROWED
from pgmigrations.migrate.core.quoting import do_block, text_array


@dataclass(frozen=True)
class Borrowed:
    """What is copied into a scratch database.

    Attributes:
        items: The name of each, the statement that makes it, and the one that takes it out again.
    """

    items: tuple[tuple[str, str, str], ...]

    @property
    def making(self) -> str:
        """Write the SQL that makes all of it that is not there and can be made."""
        return _tried([statement for _, statement, _ in self.items])

    @property
    def returning(self) -> str:
        """Write the SQL that takes out again what nothing uses."""
        return _tried([undone for _, _, undone in self.items if undone])

    def without(self, statement: str, message: str) -> Borrowed:
        """Leave out what has the name that a statement of the models could not take.

        Args:
            statement: The statement.
            message: What the server says of it, in whatever language.
        """
        return Borrowed(
            tuple(
                one
                for one in self.items
                if not one[0] or one[0] not in statement or one[0] not in message
            )
        )


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
            (name, statement, undone)
            for schema, name, statement, undone in target.execute(text(BORROWED)).all()
            if (schema, name) not in declared
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
