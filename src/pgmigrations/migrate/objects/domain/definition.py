"""The text of a domain: what follows AS in CREATE DOMAIN, and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmigrations.migrate.core.quoting import identifier, literal, qualified
from pgmigrations.migrate.objects.domain.catalog import DomainRecord

NOT_VALID = " NOT VALID"


def base(type_: str, collation: str) -> str:
    """Write the type that a domain is over."""
    return f"{type_} COLLATE {collation}" if collation else type_


def default_part(expression: str) -> str:
    """Write a DEFAULT clause; nothing where there is no default."""
    return f"DEFAULT {expression}" if expression else ""


def not_null_part(value: bool) -> str:
    """Write a NOT NULL clause, or nothing."""
    return "NOT NULL" if value else ""


def constraint_part(name: str, definition: str) -> str:
    """Write a constraint, without NOT VALID, which CREATE DOMAIN has no word for."""
    return f"CONSTRAINT {identifier(name)} {definition.removesuffix(NOT_VALID)}"


def whole(
    type_: str, collation: str, default: str, not_null: bool, constraints: Mapping[str, str]
) -> str:
    """Write all that follows AS."""
    parts = [
        base(type_, collation),
        default_part(default),
        not_null_part(not_null),
        *(constraint_part(*one) for one in sorted(constraints.items())),
    ]
    return " ".join(part for part in parts if part)


def of_record(record: DomainRecord) -> str:
    """Write what follows AS for a domain that is there or declared."""
    return whole(
        record.type,
        record.collation,
        record.default,
        record.not_null,
        dict(record.constraints),
    )


def not_valid(schema: str | None, name: str, constraints: Mapping[str, str]) -> Sequence[str]:
    """Write the statements that add the constraints that are not valid."""
    domain = qualified(schema, name)
    return [
        f"ALTER DOMAIN {domain} ADD CONSTRAINT {identifier(one)} {definition}"
        for one, definition in sorted(constraints.items())
        if definition.endswith(NOT_VALID)
    ]


def commenting(schema: str | None, name: str, comment: str) -> str:
    """Write COMMENT ON DOMAIN; an empty text takes the comment away."""
    said = literal(comment) if comment else "NULL"
    return f"COMMENT ON DOMAIN {qualified(schema, name)} IS {said}"
