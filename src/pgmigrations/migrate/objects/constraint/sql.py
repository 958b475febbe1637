"""The statements that constraints are changed by."""

from __future__ import annotations

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
