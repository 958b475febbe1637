"""The SQL that changes a table's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgmigrations.migrate.core.quoting import identifier, literal, qualified

PROPERTIES = (
    "persistence",
    "options",
    "row_security",
    "replica_identity",
    "tablespace",
    "access_method",
    "comment",
)

_REPLICA_IDENTITY = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL"}


def change_statements(
    schema: str | None, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[str]:
    """Write the statements; each may be said any number of times."""
    alter = f"ALTER TABLE {qualified(schema, name)}"
    statements = []
    if "persistence" in new:
        statements.append(f"{alter} SET {'UNLOGGED' if new['persistence'] == 'u' else 'LOGGED'}")
    if "options" in new:
        statements += _options(alter, old["options"], new["options"])
    if "row_security" in new:
        words = new["row_security"].split()
        enable = "ENABLE" if "enabled" in words else "DISABLE"
        force = "FORCE" if "forced" in words else "NO FORCE"
        statements.append(f"{alter} {enable} ROW LEVEL SECURITY, {force} ROW LEVEL SECURITY")
    if "replica_identity" in new:
        sort, _, index = new["replica_identity"].partition(" ")
        wanted = f"USING INDEX {identifier(index)}" if index else _REPLICA_IDENTITY[sort]
        statements.append(f"{alter} REPLICA IDENTITY {wanted}")
    if "tablespace" in new:
        statements.append(f"{alter} SET TABLESPACE {identifier(new['tablespace'] or 'pg_default')}")
    if "access_method" in new:
        statements.append(f"{alter} SET ACCESS METHOD {identifier(new['access_method'])}")
    if "comment" in new:
        comment = literal(new["comment"]) if new["comment"] else "NULL"
        statements.append(f"COMMENT ON TABLE {qualified(schema, name)} IS {comment}")
    return statements


def _options(alter: str, old: list[str], new: list[str]) -> list[str]:
    values = dict(option.split("=", 1) for option in new)
    gone = [name for name in (option.split("=", 1)[0] for option in old) if name not in values]
    statements = []
    if gone:
        statements.append(f"{alter} RESET ({', '.join(gone)})")
    if values:
        settings = ", ".join(f"{name} = {literal(value)}" for name, value in values.items())
        statements.append(f"{alter} SET ({settings})")
    return statements
