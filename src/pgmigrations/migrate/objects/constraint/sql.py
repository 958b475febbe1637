"""The statements that constraints are changed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmigrations.migrate.core.quoting import identifier, literal, qualified


def adding(schema: str | None, table: str, name: str, definition: str) -> str:
    """Write ADD CONSTRAINT."""
    return f"ALTER TABLE {qualified(schema, table)} ADD CONSTRAINT {identifier(name)} {definition}"


def dropping(schema: str | None, table: str, name: str) -> str:
    """Write DROP CONSTRAINT, which minds neither a table nor a constraint that is gone."""
    return (
        f"ALTER TABLE IF EXISTS {qualified(schema, table)} "
        f"DROP CONSTRAINT IF EXISTS {identifier(name)}"
    )


def validating(schema: str | None, table: str, name: str) -> str:
    """Write VALIDATE CONSTRAINT."""
    return f"ALTER TABLE {qualified(schema, table)} VALIDATE CONSTRAINT {identifier(name)}"


def commenting(schema: str | None, table: str, name: str, comment: str | None) -> str:
    """Write COMMENT ON CONSTRAINT; None and an empty text take the comment away."""
    text = literal(comment) if comment else "NULL"
    return f"COMMENT ON CONSTRAINT {identifier(name)} ON {qualified(schema, table)} IS {text}"


TYPE = "TYPE "
"""How the definition of a column starts, of which only the type counts."""

PERSISTENCE = {"LOGGED": "p", "UNLOGGED": "u"}
"""The definition of a table, of which only this counts."""


def is_reached(place: Sequence[str]) -> str:
    """Write the condition that what a foreign key rests upon is as a definition says.

    What the server prints of a key names neither schema nor expression, so its text tells.

    Args:
        place: Schema, table, name and definition of a constraint or an index, the definition empty
            where there must be none; or of a column, the definition `TYPE` and its type; or of a
            table, without a name, `LOGGED` or `UNLOGGED`.
    """
    schema, table, name, definition = place
    relation = f"n.nspname = {literal(schema)} AND c.relname = {literal(table)}"
    source = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    if definition.startswith(TYPE):
        type_ = literal(definition.removeprefix(TYPE))
        return f"""EXISTS (
    SELECT FROM {source}
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE {relation} AND a.attname = {literal(name)} AND NOT a.attisdropped
      AND a.atttypid = pg_catalog.to_regtype({type_}))"""
    if definition in PERSISTENCE:
        wanted = literal(PERSISTENCE[definition])
        return f"EXISTS (SELECT FROM {source} WHERE {relation} AND c.relpersistence = {wanted})"
    return f"""coalesce((
    SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM {source}
    JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid
    WHERE {relation} AND k.conname = {literal(name)}), (
    SELECT pg_catalog.pg_get_indexdef(o.oid) FROM {source}
    JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
    JOIN pg_catalog.pg_class o ON o.oid = i.indexrelid
    WHERE {relation} AND o.relname = {literal(name)}), '') = {literal(definition)}"""


def have_types(schema: str | None, table: str, types: Mapping[str, str]) -> str:
    """Write the condition that columns have certain types, as they print under pinned settings.

    Args:
        schema: The table's schema; None for the first of the search path before it was pinned.
        table: The table.
        types: The type of each column, empty for a column that must not be there.
    """
    wanted = ", ".join(f"({literal(name)}, {literal(type_)})" for name, type_ in types.items())
    return f"""NOT EXISTS (
    SELECT FROM (VALUES {wanted}) AS wanted (name, type)
    LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped)
      ON n.nspname = {literal(schema) if schema else "place"} AND c.relname = {literal(table)}
      AND a.attname = wanted.name
    WHERE coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), '') <> wanted.type)"""
