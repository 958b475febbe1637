"""The operations that make and remove a domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    TYPE,
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import literal, qualified
from pgmigrations.migrate.objects.domain.block import WHOLE, looking_block
from pgmigrations.migrate.objects.domain.catalog import find
from pgmigrations.migrate.objects.domain.definition import (
    NOT_VALID,
    commenting,
    not_valid,
    of_record,
    whole,
)
from pgmigrations.migrate.objects.domain.look import is_same, shown


@dataclass(eq=False)
class CreateDomain(Operation):
    """`CREATE DOMAIN`, unless it is there."""

    operation_name: ClassVar[str] = "create_domain"
    phase: ClassVar[Phase] = Phase.CREATE_TYPE
    name: str
    data_type: str
    collation: str = field(default="", kw_only=True)
    default: str = field(default="", kw_only=True)
    not_null: bool = field(default=False, kw_only=True)
    constraints: Mapping[str, str] | None = field(default=None, kw_only=True)
    comment: str = field(default="", kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def create_domain(
        cls,
        operations: Operations,
        name: str,
        data_type: str,
        *,
        collation: str = "",
        default: str = "",
        not_null: bool = False,
        constraints: Mapping[str, str] | None = None,
        comment: str = "",
        schema: str | None = None,
    ) -> None:
        """Create a domain, unless it is there and the same.

        Emits `CREATE DOMAIN`, which locks no table, and `COMMENT ON DOMAIN`; a constraint that
        is `NOT VALID` is added by `ALTER DOMAIN`. Its reverse is `op.drop_domain`. PostgreSQL 14
        or newer (PostgreSQL manual, CREATE DOMAIN).

        Example:
            op.create_domain("email", "text", constraints={"email_at": "CHECK (VALUE ~ '@')"})

        Args:
            name: The domain, unquoted.
            data_type: What it is over, as SQL says it, such as `character varying(40)`.
            collation: As SQL says it, such as `pg_catalog."C"`; by default the type's own.
            default: An expression of SQL; by default none.
            not_null: Whether NULL is refused.
            constraints: Its checks: the definition of each, as SQL says it, by its name.
            comment: Its comment; by default none.
            schema: Its schema; by default the first of the search path.

        Raises:
            DifferentObject: A type of that name is there, and is another one.
        """
        operations.invoke(
            cls(
                name,
                data_type,
                collation=collation,
                default=default,
                not_null=not_null,
                constraints=constraints,
                comment=comment,
                schema=schema,
            )
        )

    def takes(self) -> list[Name]:
        """Return the type's name."""
        return [(TYPE, self.schema, self.name)]

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    @property
    def definition(self) -> str:
        """All that follows AS, without what is not valid about it."""
        return whole(
            self.data_type, self.collation, self.default, self.not_null, self.constraints or {}
        )

    def pending(self, connection: Connection) -> bool:
        """Look for the domain and let the server compare it."""
        found = find(connection, self.schema, self.name)
        if found is None:
            return True
        if isinstance(found, str):
            raise DifferentObject(self.subject, "a domain", found)
        there = of_record(found)
        if not is_same(connection, there, self.definition) or found.comment != self.comment:
            raise DifferentObject(
                self.subject,
                _commented(self.definition, self.comment),
                _commented(there, found.comment),
            )
        return False

    def statements(self) -> list[str]:
        """Return the statement, and those for what it has no word for."""
        named = [
            f"CREATE DOMAIN {qualified(self.schema, self.name)} AS {self._valid()}",
            *not_valid(self.schema, self.name, self.constraints or {}),
        ]
        if self.comment:
            named.append(commenting(self.schema, self.name, self.comment))
        return named

    def guarded_statements(self) -> list[str]:
        """Return a block that compares a domain that is there."""
        work = "".join(f"    {one};\n" for one in self.statements())
        act = f"""\
  IF found IS NULL THEN
{work}  ELSIF found IS DISTINCT FROM printed[1] THEN
    RAISE EXCEPTION '% is there, but differs: %', {literal(self.subject)}, found;
  END IF;"""
        return [looking_block(self.schema, self.name, WHOLE, [self.definition], act, over=False)]

    def reverse(self) -> DropDomain:
        """Drop it again."""
        return DropDomain(self.name, schema=self.schema, making=self)

    def _valid(self) -> str:
        checks = {
            name: definition
            for name, definition in (self.constraints or {}).items()
            if not definition.endswith(NOT_VALID)
        }
        return whole(self.data_type, self.collation, self.default, self.not_null, checks)


@dataclass(eq=False)
class DropDomain(Operation):
    """`DROP DOMAIN`, if it is there."""

    operation_name: ClassVar[str] = "drop_domain"
    phase: ClassVar[Phase] = Phase.DROP_TYPE
    name: str
    schema: str | None = field(default=None, kw_only=True)
    making: CreateDomain | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def drop_domain(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop a domain, if it is there; another sort of type of its name stays.

        Emits `DROP DOMAIN IF EXISTS … RESTRICT`: refused by the server while a column or a
        function still uses it. Locks no table. Its reverse is `op.create_domain`.

        Example:
            op.drop_domain("email")

        Args:
            name: The domain, unquoted.
            schema: Its schema; by default the first of the search path.
        """
        operations.invoke(cls(name, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the domain."""
        found = find(connection, self.schema, self.name)
        return found is not None and not isinstance(found, str)

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP DOMAIN IF EXISTS {qualified(self.schema, self.name)}"]

    guarded_statements = statements

    def reverse(self) -> CreateDomain:
        """Create it as it was."""
        if self.making is None:
            raise IrreversibleOperation(
                f"What {self.subject} was is not known",
                "Write op.create_domain() in downgrade() by hand",
            )
        return self.making


def _commented(definition: str, comment: str) -> str:
    return f"{definition}, comment {comment!r}" if comment else definition
