"""Names and values in SQL: the one place that quotes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.dialects.postgresql.base import PGDialect

from pgmigrations.errors import PgMigrationsError

NAME_BYTES = 63

# The paramstyle matters: with psycopg2's, SQLAlchemy doubles every % in a name.
DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
# Off, since PostgreSQL 9.1 a backslash in '…' is only a backslash.
DIALECT._backslash_escapes = False


class NameTooLong(PgMigrationsError):
    """A name that the server would cut."""

    def __init__(self, name: str, what: str = "") -> None:
        size = len(name.encode())
        place = f" of {what}" if what else ""
        super().__init__(
            f"The name {name!r}{place} has {size} bytes, and PostgreSQL keeps {NAME_BYTES}",
            "Choose a shorter one",
        )
        self.name = name


def identifier(name: str) -> str:
    """Quote a name, always: the list of reserved words grows with every server version.

    Example:
        >>> identifier('it"s')
        '"it""s"'

    Raises:
        NameTooLong: More than 63 bytes, which the server would silently cut
            (PostgreSQL manual, 4.1.1 Identifiers and Key Words).
    """
    if len(name.encode()) > NAME_BYTES:
        raise NameTooLong(name)
    return DIALECT.identifier_preparer.quote_identifier(name)


def grantee(name: str) -> str:
    """Quote the name of a role; `public`, which no role can have for a name, is every role."""
    return "PUBLIC" if name == "public" else identifier(name)


def qualified(schema: str | None, name: str) -> str:
    """Quote a name with its schema, where there is one."""
    return f"{identifier(schema)}.{identifier(name)}" if schema else identifier(name)


def chosen_name(table: str, columns: Iterable[str], label: str) -> str:
    """Return the name that the server gives a constraint without one, if that name is free.

    Example:
        >>> chosen_name("page", ["book", "number"], "key")
        'page_book_number_key'

    Args:
        table: The table.
        columns: The constraint's columns, in order; none for a primary key.
        label: `key`, `fkey`, `pkey` or `check`.
    """
    names = [table.encode(), "_".join(columns).encode()[:NAME_BYTES]]
    room = NAME_BYTES - len(label) - sum(map(bool, names))
    # The longer one is cut, as makeObjectName() does it.
    while sum(map(len, names)) > room:
        longer = 0 if len(names[0]) > len(names[1]) else 1
        names[longer] = names[longer][:-1]
    return "_".join([*(name.decode(errors="ignore") for name in names if name), label])


def literal(value: str) -> str:
    """Quote a string so that it reads the same whatever `standard_conforming_strings` says."""
    quoted = value.replace("'", "''")
    if "\\" in value:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def text_array(values: Iterable[str]) -> str:
    """Write strings as a `text[]`."""
    return f"ARRAY[{', '.join(literal(value) for value in values)}]::text[]"


def dollar_quoted(body: str) -> str:
    """Quote a block of code by a tag that it does not contain."""
    tag = "$pgm$"
    number = 0
    while tag in body:
        number += 1
        tag = f"$pgm{number}$"
    return f"{tag}\n{body}\n{tag}"


def do_block(body: str) -> str:
    """Write a `DO` statement, which `--sql` output uses to look before it acts."""
    return f"DO {dollar_quoted(body)}"


def unless(condition: str, statements: str) -> str:
    """Write the body of a `DO` statement that acts only where a condition does not hold."""
    return f"BEGIN\n  IF NOT {condition} THEN\n    {statements}\n  END IF;\nEND"


def is_other_relation(schema: str | None, name: str, kinds: str) -> str:
    """Write a condition: a name is that of a relation, and of another kind.

    Args:
        schema: Its schema; None for the first of the search path.
        name: The name.
        kinds: Letters of `pg_class.relkind`.
    """
    place = literal(schema) if schema else "pg_catalog.current_schema()"
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {place} AND c.relname = {literal(name)}
      AND position(c.relkind::text IN {literal(kinds)}) = 0)"""


def escape_parameters(sql: str) -> str:
    r"""Write SQL so that SQLAlchemy's `text()` takes no colon in it for a parameter's.

    Example:
        >>> escape_parameters("a::text = ':x'")
        "a::text = '\\:x'"
    """
    # An escaped colon must not run into one that is not, as in `:a::b`; then all are escaped.
    for escaped in (sql, re.sub(r"(?<!:):(?=\w)", r"\:", sql)):
        read = text(escaped)
        if not read._bindparams and str(read.compile(dialect=DIALECT)) == sql:
            return escaped
    return sql.replace(":", r"\:")
