"""The properties of a domain that can change, each as the text that CREATE DOMAIN takes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.objects.domain.block import DEFAULT, NOT_NULL, constraints
from pgmigrations.migrate.objects.domain.catalog import DomainRecord
from pgmigrations.migrate.objects.domain.definition import (
    NOT_VALID,
    constraint_part,
    default_part,
    not_null_part,
)

Properties: TypeAlias = Mapping[str, Any]

# PostgreSQL 18 leaves news of the dropped constraint behind, over which the next savepoint would
# fail ("unprocessed inval messages"); whatever is written to a catalog next takes it along.
_WRITE_SOMETHING = (
    "CREATE DOMAIN pg_temp.pgmigrations_copy AS text",
    "DROP DOMAIN pg_temp.pgmigrations_copy",
)
NAMES = ("default", "not_null", "constraints", "comment")


class UnknownProperty(PgMigrationsError):
    """A property that no domain has, or that cannot change."""

    def __init__(self, name: str) -> None:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = f"Write {near[0]!r}" if near else f"Choose among {', '.join(NAMES)}"
        super().__init__(f"A domain has no property {name!r} that could change", hint)
        self.name = name


@dataclass(frozen=True)
class Part:
    """One property.

    Attributes:
        wanted: What the revision wants; empty where it shall not be there.
        existing: What the revision starts from.
        there: Tells what a domain has.
        found: The expression of what a domain `t` has, in SQL.
        statements: The SQL that makes the change.
        constraint: The name, where it is a constraint.
        valid: Whether a constraint is only to be validated, or no more to be valid; else None.
    """

    wanted: str
    existing: str
    there: Callable[[DomainRecord], str]
    found: str
    statements: tuple[str, ...]
    constraint: str = ""
    valid: bool | None = None


def parts(schema: str | None, name: str, wanted: Properties, existing: Properties) -> list[Part]:
    """Return the properties that a revision changes; the comment is none of them.

    Args:
        schema: The domain's schema.
        name: The domain.
        wanted: What the revision wants.
        existing: What it starts from.

    Raises:
        UnknownProperty: A domain has no such property that could change.
    """
    for one in [*wanted, *existing]:
        if one not in NAMES:
            raise UnknownProperty(one)
    return list(_parts(f"ALTER DOMAIN {qualified(schema, name)}", wanted, existing))


def _parts(domain: str, wanted: Properties, existing: Properties) -> Iterator[Part]:
    if "default" in wanted:
        value = wanted["default"]
        yield Part(
            default_part(value),
            default_part(existing.get("default", "")),
            lambda record: default_part(record.default),
            DEFAULT,
            (f"{domain} SET DEFAULT {value}" if value else f"{domain} DROP DEFAULT",),
        )
    if "not_null" in wanted:
        value = bool(wanted["not_null"])
        yield Part(
            not_null_part(value),
            not_null_part(bool(existing.get("not_null"))),
            lambda record: not_null_part(record.not_null),
            NOT_NULL,
            (f"{domain} {'SET' if value else 'DROP'} NOT NULL",),
        )
    for name, definition in wanted.get("constraints", {}).items():
        before = existing.get("constraints", {}).get(name, "")
        yield _constraint(domain, name, definition, before)


def _constraint(domain: str, name: str, wanted: str, existing: str) -> Part:
    quoted = identifier(name)
    drop = f"{domain} DROP CONSTRAINT IF EXISTS {quoted}"
    # Another property may still be waiting when this one is as wanted.
    statements: tuple[str, ...] = (drop, f"{domain} ADD CONSTRAINT {quoted} {wanted}")
    valid = None
    if not wanted:
        statements = (drop, *_WRITE_SOMETHING)
    elif existing == wanted + NOT_VALID:
        valid = True
        statements = (f"{domain} VALIDATE CONSTRAINT {quoted}",)
    elif wanted == existing + NOT_VALID:
        valid = False
    return Part(
        _text(name, wanted),
        _text(name, existing),
        lambda record: _text(name, dict(record.constraints).get(name, "")),
        constraints(f"k.conname = {literal(name)}"),
        statements,
        name,
        valid,
    )


def _text(name: str, definition: str) -> str:
    if not definition:
        return ""
    return constraint_part(name, definition) + (NOT_VALID if definition.endswith(NOT_VALID) else "")
