"""What the operations on enums have in common when they look before they act."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import MissingObject
from pgmigrations.migrate.core.quoting import NAME_BYTES, NameTooLong, literal
from pgmigrations.migrate.objects.enum.catalog import find


def shown(schema: str | None, name: str) -> str:
    """Name an enum in messages."""
    return f"enum {schema}.{name}" if schema else f"enum {name}"


def checked_labels(labels: Sequence[str]) -> Sequence[str]:
    """Refuse labels that the server would not store.

    Raises:
        NameTooLong: A label has more than 63 bytes (PostgreSQL manual, 8.7.4).
    """
    for label in labels:
        if len(label.encode()) > NAME_BYTES:
            raise NameTooLong(label)
    return labels


def existing_labels(connection: Connection, schema: str | None, name: str) -> tuple[str, ...]:
    """Return the labels of an enum that must be there.

    Raises:
        MissingObject: There is no enum of that name.
    """
    found = find(connection, schema, name)
    if not isinstance(found, tuple):
        raise MissingObject(shown(schema, name), "Create it first, with op.create_enum()")
    return found


def type_lookup(schema: str | None, name: str) -> str:
    """Write an expression that is the labels of an enum as `text[]`, NULL if there is none."""
    place = literal(schema) if schema else "current_schema()"
    return f"""(
    SELECT coalesce(array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
                    FILTER (WHERE e.oid IS NOT NULL), '{{}}')
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
    WHERE n.nspname = {place} AND t.typname = {literal(name)} AND t.typtype = 'e'
    GROUP BY t.oid)"""
