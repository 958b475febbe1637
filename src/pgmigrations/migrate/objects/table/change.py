"""The SQL that changes a table's own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pgmigrations.migrate.core.quoting import do_block, identifier, literal, qualified

PROPERTIES = (
    "parents",
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
    if "parents" in new:
        statements += _parents(schema, name, old["parents"], new["parents"])
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


def _parents(
    schema: str | None, name: str, old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]
) -> list[str]:
    """Write blocks that look by themselves, as the server says neither twice."""
    child = qualified(schema, name)
    statements = []
    for verb, one, other in (("NO INHERIT", old, new), ("INHERIT", new, old)):
        for place in (list(parent) for parent in one if list(parent) not in map(list, other)):
            parent = qualified(*place)
            condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = to_regclass({literal(child)})
      AND i.inhparent = to_regclass({literal(parent)}))"""
            if verb == "INHERIT":
                condition = f"NOT {condition}"
            work = f"ALTER TABLE {child} {verb} {parent}"
            statements.append(
                do_block(f"BEGIN\n  IF {condition} THEN\n    {work};\n  END IF;\nEND")
            )
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
