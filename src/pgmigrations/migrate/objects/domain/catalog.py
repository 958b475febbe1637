"""Domains as the catalogs hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import (
    TYPE_NOT_OF_AN_EXTENSION,
    USERS_OF_TYPE,
    Catalog,
    frozen,
    pinned,
    users,
)
from pgmigrations.migrate.core.snapshot import Record


@dataclass(frozen=True)
class DomainRecord(Record):
    """A domain.

    Attributes:
        type: What it is over, with its modifiers, as `format_type()` prints it.
        collation: Empty where it is the type's own.
        default: The default's expression; empty where there is none.
        not_null: Whether NULL is refused.
        constraints: Its checks, (name, definition) by name.
        comment: Empty where there is none.
        printed_name: As the server prints it as the type of a column.
    """

    kind: ClassVar[str] = "domain"
    type: str
    collation: str
    default: str
    not_null: bool
    constraints: tuple[tuple[str, str], ...]
    comment: str
    printed_name: str = field(compare=False, repr=False)

    @property
    def takes_type_name(self) -> bool:
        """Whether it is a type, as it is."""
        return True

    @property
    def stored_as(self) -> tuple[str, str]:
        """What it is over."""
        return (self.printed_name, self.type)


# The name of a NOT NULL, which PostgreSQL 17 and newer keep, is left out as that of a column's is.
_COLUMNS = """n.nspname, t.typname,
       format_type(t.typbasetype, t.typtypmod),
       CASE WHEN t.typcollation IN (0, b.typcollation) THEN ''
            ELSE t.typcollation::regcollation::text END,
       coalesce(pg_get_expr(t.typdefaultbin, 0), ''),
       t.typnotnull,
       ARRAY(SELECT ARRAY[k.conname::text, pg_get_constraintdef(k.oid)]
             FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'
             ORDER BY k.conname),
       coalesce(obj_description(t.oid, 'pg_type'), ''),
       format_type(t.oid, NULL)"""
_FROM = """
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_type b ON b.oid = t.typbasetype"""
# One that is over another is made after it.
_READ = f"""
SELECT {_COLUMNS}, used.places, used.elsewhere
{_FROM}
{USERS_OF_TYPE}
WHERE t.typtype = 'd' AND n.nspname = ANY(:schemas) AND {TYPE_NOT_OF_AN_EXTENSION}
ORDER BY t.oid
"""
_FIND = text(f"""
SELECT {_COLUMNS}
{_FROM}
WHERE t.typtype = 'd' AND n.nspname = :schema AND t.typname = :name
""")
_IS_TYPE = text("""
SELECT t.typtype FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = :schema AND t.typname = :name AND t.typtype <> 'd'
""")

_TYPE_WORDS = {
    "b": "a base type",
    "c": "a composite type or table",
    "e": "an enum",
    "r": "a range type",
}


def _record(
    schema: str,
    name: str,
    type_: str,
    collation: str,
    default: str,
    not_null: bool,
    constraints: tuple[tuple[str, str], ...],
    comment: str,
    printed_name: str,
    places: Any,
    elsewhere: bool,
) -> DomainRecord:
    """One that a composite type, a function, a view or a foreign table needs is not ours.

    Nothing here could drop those first.
    """
    return DomainRecord(
        schema,
        name,
        type_,
        collation,
        default,
        not_null,
        constraints,
        comment,
        printed_name,
        used_by=users(places),
        is_ours=not elsewhere,
    )


read = Catalog(_READ, _record)
"""Reads every domain of the scope's schemas, extensions' own left out."""


def find(connection: Connection, schema: str | None, name: str) -> DomainRecord | str | None:
    """Look one domain up, as it prints under the pinned settings.

    Args:
        connection: Where to look.
        schema: Its schema; None for the first of the search path.
        name: The domain.

    Returns:
        The domain; or what the type of that name is, in words, if it is no domain; or None.
    """
    if schema is None:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    names = {"schema": schema, "name": name}
    with pinned(connection):
        row = connection.execute(_FIND, names).one_or_none()
    if row is not None:
        return DomainRecord(*map(frozen, row))
    other = connection.execute(_IS_TYPE, names).scalar_one_or_none()
    return None if other is None else _TYPE_WORDS.get(other, "a type")
