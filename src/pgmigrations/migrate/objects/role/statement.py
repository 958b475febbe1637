"""The SQL that makes a role what it shall be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgmigrations.migrate.core.quoting import identifier, literal
from pgmigrations.migrate.objects.role.catalog import ATTRIBUTES, LISTS, parts

DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(ATTRIBUTES, False),
    "inherit": True,
    "connection_limit": -1,
    "settings": {},
    "comment": "",
}
"""What a role is where nothing else is said."""


def creation(name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes a role; it cannot log in.

    Args:
        name: The role.
        properties: What is not as by default.
    """
    words = " ".join(_words(properties))
    yield f"CREATE ROLE {identifier(name)} NOLOGIN{' ' if words else ''}{words}"
    yield from _beside(name, properties)


def alteration(name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield what changes a role.

    Args:
        name: The role.
        properties: What changes; a setting that is None is reset.
    """
    words = " ".join(_words(properties))
    if words:
        yield f"ALTER ROLE {identifier(name)} {words}"
    yield from _beside(name, properties)


def _words(properties: Mapping[str, Any]) -> Iterator[str]:
    for key in ATTRIBUTES:
        if key in properties:
            yield key.upper() if properties[key] else f"NO{key.upper()}"
    if "connection_limit" in properties:
        yield f"CONNECTION LIMIT {properties['connection_limit']:d}"


def _beside(name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield what takes statements of its own."""
    role = identifier(name)
    for setting, value in properties.get("settings", {}).items():
        if value is None:
            yield f"ALTER ROLE {role} RESET {identifier(setting)}"
        else:
            written = parts(value) if setting in LISTS else [value]
            values = ", ".join(map(literal, written))
            yield f"ALTER ROLE {role} SET {identifier(setting)} TO {values}"
    if "comment" in properties:
        comment = properties["comment"]
        yield f"COMMENT ON ROLE {role} IS {literal(comment) if comment else 'NULL'}"
