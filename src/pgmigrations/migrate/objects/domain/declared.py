"""Domains as the models declare them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import DOMAIN, CreateDomainType

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.quoting import DIALECT
from pgmigrations.migrate.core.snapshot import Identity, Scope
from pgmigrations.migrate.core.types import placed_types
from pgmigrations.migrate.objects.domain.catalog import DomainRecord

# It compiles parts of statements, so there is no statement to give it.
_COMPILER = cast(Any, DIALECT.ddl_compiler(DIALECT, cast(Any, None)))


class ConflictingDomain(PgMigrationsError):
    """Two columns that define one domain differently."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            f"Domain {name} is defined in one way in {first} and in another in {second}",
            "Use one DOMAIN object for both, or two names",
        )


def named(metadatas: Sequence[MetaData], scope: Scope) -> set[Identity]:
    """Return the identities of the domains that the models declare.

    Raises:
        ConflictingDomain: One name stands for two definitions.
    """
    seen: dict[Identity, tuple[str, str]] = {}
    for domain, place in _domains(metadatas):
        identity = ("domain", domain.schema or scope.default_schema, str(domain.name))
        text = str(CreateDomainType(domain).compile(dialect=DIALECT))
        text = text.partition(" AS ")[2]
        known, first = seen.setdefault(identity, (text, place))
        if known != text:
            raise ConflictingDomain(str(domain.name), first, place)
    return set(seen)


def said_constraints(record: DomainRecord, difference: Difference) -> Mapping[str, str]:
    """Return the checks of a declared domain in the models' words, where they have any.

    What the server prints of a check is not always what it was made from, and made from that it
    prints another time.
    """
    printed = dict(record.constraints)
    model = next(
        (
            domain
            for domain, _ in _domains(difference.metadatas)
            if (domain.schema or difference.scope.default_schema) == record.schema
            and domain.name == record.name
        ),
        None,
    )
    if model is None or model.check is None or len(printed) != 1:
        return printed
    check = _COMPILER.sql_compiler.process(model.check, include_table=False, literal_binds=True)
    return dict.fromkeys(printed, f"CHECK ({check})")


def _domains(metadatas: Sequence[MetaData]) -> Iterator[tuple[DOMAIN, str]]:
    for type_, place in placed_types(metadatas):
        if isinstance(type_, DOMAIN):
            yield type_, place
