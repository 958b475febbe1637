"""The operation that changes a domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject, Operation
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal
from pgmigrations.migrate.objects.domain.block import looking_block, validity
from pgmigrations.migrate.objects.domain.catalog import DomainRecord, find
from pgmigrations.migrate.objects.domain.definition import NOT_VALID, base, commenting
from pgmigrations.migrate.objects.domain.look import is_same, shown
from pgmigrations.migrate.objects.domain.part import Part, Properties, parts


@dataclass(eq=False)
class AlterDomain(Operation):
    """`ALTER DOMAIN`."""

    operation_name: ClassVar[str] = "alter_domain"
    phase: ClassVar[Phase] = Phase.CREATE_TYPE
    name: str
    properties: Properties
    existing: Properties = field(kw_only=True)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def alter_domain(
        cls,
        operations: Operations,
        name: str,
        properties: Mapping[str, Any],
        *,
        existing: Mapping[str, Any],
        schema: str | None = None,
    ) -> None:
        """Change properties of a domain.

        Emits `ALTER DOMAIN … SET DEFAULT`, `DROP DEFAULT`, `SET NOT NULL`, `DROP NOT NULL`, `ADD
        CONSTRAINT`, `DROP CONSTRAINT` or `VALIDATE CONSTRAINT`, and `COMMENT ON DOMAIN`. What
        makes the domain narrower reads every table that has a column of it under a SHARE lock, so
        nobody writes to them meanwhile; PostgreSQL refuses it while an array or a composite type
        of the domain is in a column. Its reverse swaps what is wanted with what existed.

        Example:
            op.alter_domain(
                "email",
                {"constraints": {"email_at": "CHECK (VALUE ~ '@')"}},
                existing={"constraints": {"email_at": ""}},
            )

        Args:
            name: The domain, unquoted.
            properties: The properties that change: `default` (an expression; empty for none),
                `not_null` (true or false), `constraints` (the definition of each by its name;
                empty to drop it) and `comment` (empty for none).
            existing: The same properties before, for the reverse.
            schema: Its schema; by default the first of the search path.

        Raises:
            MissingObject: There is no such domain.
            DifferentObject: It is neither as wanted nor as it was.
            UnknownProperty: A domain has no such property that could change.
        """
        operations.invoke(cls(name, properties, existing=existing, schema=schema))

    def runs_in(self) -> Phase:
        """Return when: what makes a domain narrower comes after the tables have let go."""
        added = self.properties.get("constraints", {})
        there = self.existing.get("constraints", {})
        is_narrower = self.properties.get("not_null") or any(
            definition and not there.get(name) for name, definition in added.items()
        )
        return Phase.NARROW_TYPE if is_narrower else Phase.CREATE_TYPE

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look at each of the properties, and let the server compare it."""
        found = find(connection, self.schema, self.name)
        if not isinstance(found, DomainRecord):
            raise MissingObject(self.subject, "Create it first, with op.create_domain()")
        waiting = [self._is_waiting(connection, found, part) for part in self._parts()]
        if "comment" in self.properties:
            waiting.append(found.comment != self.properties["comment"])
        return any(waiting)

    def statements(self) -> list[str]:
        """Return the statements, property by property."""
        made = [one for part in self._parts() for one in part.statements]
        return [*made, *self._commenting()]

    def guarded_statements(self) -> list[str]:
        """Return a block for each property, which compares it first."""
        return [*map(self._guarded, self._parts()), *self._commenting()]

    def reverse(self) -> AlterDomain:
        """Go back to the properties before."""
        return AlterDomain(self.name, self.existing, existing=self.properties, schema=self.schema)

    def _parts(self) -> list[Part]:
        return parts(self.schema, self.name, self.properties, self.existing)

    def _commenting(self) -> list[str]:
        if "comment" not in self.properties:
            return []
        return [commenting(self.schema, self.name, self.properties["comment"])]

    def _is_waiting(self, connection: Connection, record: DomainRecord, part: Part) -> bool:
        there = part.there(record)
        over = base(record.type, record.collation)
        if _is_same(connection, over, there, part.wanted):
            return False
        if _is_same(connection, over, there, part.existing) is False:
            raise DifferentObject(self.subject, part.wanted or "nothing", there or "nothing")
        return True

    def _guarded(self, part: Part) -> str:
        work = "".join(f"    {one};\n" for one in part.statements)
        if part.valid is not None:
            condition = validity(self.schema, self.name, part.constraint, valid=not part.valid)
            return do_block(f"BEGIN\n  IF {condition} THEN\n{work}  END IF;\nEND")
        act = f"""\
  IF found IS NULL THEN
    RAISE EXCEPTION '% does not exist', {literal(self.subject)};
  ELSIF found = printed[1] THEN
    NULL;
  ELSIF found <> printed[2] THEN
    RAISE EXCEPTION '% is there, but differs: %', {literal(self.subject)}, found;
  ELSE
{work}  END IF;"""
        texts = [one.removesuffix(NOT_VALID) for one in (part.wanted, part.existing)]
        return looking_block(self.schema, self.name, part.found, texts, act, over=True)


def _is_same(connection: Connection, over: str, there: str, other: str) -> bool | None:
    """Compare one property; None where nothing can be told."""
    if there == other:
        return True
    if not there or not other or there.endswith(NOT_VALID) is not other.endswith(NOT_VALID):
        return False
    first, second = (f"{over} {one.removesuffix(NOT_VALID)}" for one in (there, other))
    return is_same(connection, first, second)
