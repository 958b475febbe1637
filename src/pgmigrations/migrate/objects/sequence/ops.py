"""The operations that make, change and remove a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    RELATION,
    TYPE,
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal, qualified
from pgmigrations.migrate.objects.sequence.catalog import find, lookup
from pgmigrations.migrate.objects.sequence.options import (
    checked,
    clauses,
    comment,
    complete,
    condition,
    counting_on_behind,
    embedded,
    limited,
    state,
)


def shown(schema: str | None, name: str) -> str:
    """Name a sequence in messages."""
    return f"sequence {schema}.{name}" if schema else f"sequence {name}"


@dataclass(eq=False)
class CreateSequence(Operation):
    """`CREATE SEQUENCE`, unless it is there."""

    operation_name: ClassVar[str] = "create_sequence"
    phase: ClassVar[Phase] = Phase.CREATE_SEQUENCE
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    schema: str | None = field(default=None, kw_only=True)
    frees_name: bool = field(default=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def create_sequence(
        cls,
        operations: Operations,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        schema: str | None = None,
    ) -> None:
        """Create a sequence, unless it is there and the same.

        Emits `CREATE SEQUENCE`, which locks no table, and `COMMENT ON SEQUENCE`. One that a column
        of numbers owns counts on from the largest value, if that lies behind its start. Its
        reverse is `op.drop_sequence`. An unlogged one asks for PostgreSQL 15 or newer.

        Example:
            op.create_sequence("invoice_number", {"start": 1000, "cycle": True})

        Args:
            name: The sequence, unquoted.
            options: `type` (`smallint`, `integer`, `bigint`), `start`, `increment`, `minvalue`,
                `maxvalue`, `cache` (numbers), `cycle`, `unlogged` (booleans), `owned_by` (a list
                of schema, table and column) and `comment`; what is left out is as the server
                chooses (PostgreSQL manual, CREATE SEQUENCE). An owner that is not said is not
                looked at.
            schema: Its schema; by default the first of the search path.

        Raises:
            DifferentObject: A sequence of that name is there, with other properties.
            UnknownOption: A sequence has no such property.
        """
        operations.invoke(cls(name, options or {}, schema=schema))

    def takes(self) -> list[Name]:
        """Return the sequence's name."""
        return [(RELATION, self.schema, self.name)]

    def awaits(self) -> list[Name]:
        """Return the name, which the server refuses if it is a type's, too."""
        return [*self.takes(), (TYPE, self.schema, self.name)]

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the sequence and its properties."""
        wanted = self._wanted()
        found = find(connection, self.schema, self.name)
        if found is None:
            return True
        there = state(found)
        other = [key for key in wanted if wanted[key] != there[key]]
        if other:
            raise DifferentObject(self.subject, _part(wanted, other), _part(there, other))
        return False

    def statements(self) -> list[str]:
        """Return the statement, and that of the comment."""
        options = checked(self.options)
        unlogged = "UNLOGGED " if options.get("unlogged") else ""
        made = f"CREATE {unlogged}SEQUENCE {qualified(self.schema, self.name)}{clauses(options)}"
        statements = [made]
        if options.get("owned_by"):
            statements.append(counting_on_behind(self.schema, self.name, options["owned_by"]))
        if options.get("comment"):
            statements.append(comment(self.schema, self.name, options["comment"]))
        return statements

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the properties of a sequence that is there."""
        there = lookup(self.schema, self.name)
        same = lookup(self.schema, self.name, condition(self._wanted()))
        work = "".join(f"    {embedded(one)};\n" for one in self.statements())
        return [
            do_block(f"""\
BEGIN
  IF NOT {there} THEN
{work}  ELSIF NOT {same} THEN
    RAISE EXCEPTION '% is there with other properties', {literal(self.subject)};
  END IF;
END""")
        ]

    def reverse(self) -> DropSequence:
        """Drop it again."""
        return DropSequence(
            self.name, existing=self.options, schema=self.schema, frees_name=self.frees_name
        )

    def _wanted(self) -> dict[str, Any]:
        """Return what it must be; an owner that is not said may come later."""
        wanted = complete(self.options)
        return {key: one for key, one in wanted.items() if key != "owned_by" or one}


@dataclass(eq=False)
class DropSequence(Operation):
    """`DROP SEQUENCE`, if it is there."""

    operation_name: ClassVar[str] = "drop_sequence"
    phase: ClassVar[Phase] = Phase.DROP_SEQUENCE
    name: str
    existing: Mapping[str, Any] | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    schema: str | None = field(default=None, kw_only=True)
    frees_name: bool = field(default=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def drop_sequence(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop a sequence, if it is there; that of an identity column is left alone.

        Emits `DROP SEQUENCE IF EXISTS … RESTRICT`: refused by the server while a default still
        uses it. Its reverse is `op.create_sequence`; where it was counting is lost.

        Example:
            op.drop_sequence("invoice_number")

        Args:
            name: The sequence, unquoted.
            schema: Its schema; by default the first of the search path.
        """
        operations.invoke(cls(name, schema=schema))

    def runs_in(self) -> Phase:
        """Run before an identity may take the name."""
        return Phase.RELEASE if self.frees_name else self.phase

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the sequence."""
        return find(connection, self.schema, self.name) is not None

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP SEQUENCE IF EXISTS {qualified(self.schema, self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves an identity column's sequence alone."""
        there = lookup(self.schema, self.name)
        return [do_block(f"BEGIN\n  IF {there} THEN\n    {self.statements()[0]};\n  END IF;\nEND")]

    def reverse(self) -> CreateSequence:
        """Create it with the properties that it had."""
        if self.existing is None:
            raise IrreversibleOperation(
                f"The properties that {self.subject} had are not known",
                "Write op.create_sequence() in downgrade() by hand",
            )
        return CreateSequence(
            self.name, self.existing, schema=self.schema, frees_name=self.frees_name
        )


@dataclass(eq=False)
class AlterSequence(Operation):
    """`ALTER SEQUENCE`."""

    operation_name: ClassVar[str] = "alter_sequence"
    phase: ClassVar[Phase] = Phase.ALTER
    name: str
    options: Mapping[str, Any]
    existing: Mapping[str, Any] = field(kw_only=True)
    becomes: Mapping[str, Any] | None = field(default=None, kw_only=True)
    was: Mapping[str, Any] | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    schema: str | None = field(default=None, kw_only=True)

    @classmethod
    def alter_sequence(
        cls,
        operations: Operations,
        name: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any],
        becomes: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """Change properties of a sequence; where it is counting stays.

        A position outside new limits becomes the nearest that they allow: one that has counted
        beyond its new end has no number left, unless it cycles. One that becomes the property of a
        column of numbers whose default takes its numbers counts on from the largest value,
        never backwards; so does one that turns, from those of every column that takes its numbers.

        Emits `ALTER SEQUENCE` (SHARE ROW EXCLUSIVE on the sequence, so nobody draws a number
        meanwhile), `ALTER SEQUENCE … SET LOGGED` or `SET UNLOGGED` (ACCESS EXCLUSIVE, PostgreSQL
        15 or newer) and `COMMENT ON SEQUENCE`. Its reverse swaps what is wanted with what
        existed.

        Example:
            op.alter_sequence("invoice_number", {"increment": 5}, existing={"increment": 1})

        Args:
            name: The sequence, unquoted.
            options: The properties that change, as `op.create_sequence` takes them; an empty
                list as `owned_by` takes the owner away, where the sequence is still there.
            existing: The same properties before, for the reverse.
            becomes: The same properties as they are later in the same revision; where they are
                like that already, nothing is done.
            schema: Its schema; by default the first of the search path.

        Raises:
            MissingObject: There is no such sequence.
            DifferentObject: It is neither as wanted nor as it was.
            UnknownOption: A sequence has no such property.
        """
        operations.invoke(cls(name, options, existing=existing, becomes=becomes, schema=schema))

    def runs_in(self) -> Phase:
        """Leave an owner before that may go, and belong to another when that is there."""
        if "owned_by" not in self.options:
            return self.phase
        return Phase.CREATE_DEPENDANT if self.options["owned_by"] else Phase.RELEASE

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look at the properties."""
        wanted = checked(self.options)
        found = find(connection, self.schema, self.name)
        if found is None:
            if self._is_leaving():
                return False
            raise MissingObject(self.subject, "Create it first, with op.create_sequence()")
        there = state(found)
        if self.becomes and all(there[key] == value for key, value in self.becomes.items()):
            return False
        for key, value in wanted.items():
            if there[key] not in (value, self.existing.get(key, there[key])):
                raise DifferentObject(self.subject, _part(wanted, [key]), _part(there, [key]))
        return any(there[key] != value for key, value in wanted.items())

    def statements(self) -> list[str]:
        """Return a statement for the clauses, one for the persistence, one for the comment."""
        wanted = checked(self.options)
        alter = f"ALTER SEQUENCE {qualified(self.schema, self.name)}"
        said = clauses(wanted)
        statements = [f"{alter}{said}"] if said else []
        if {"type", "minvalue", "maxvalue"} & set(wanted):
            statements = [limited(self.schema, self.name, said, wanted)]
        if "unlogged" in wanted:
            statements.append(f"{alter} SET {'UNLOGGED' if wanted['unlogged'] else 'LOGGED'}")
        if wanted.get("owned_by"):
            # It may never have been the one that numbered the rows.
            owner = wanted["owned_by"]
            statements.append(counting_on_behind(self.schema, self.name, owner, is_drawn=True))
        if wanted.get("increment", 1) * self.existing.get("increment", 1) < 0:
            statements.append(counting_on_behind(self.schema, self.name))
        if "comment" in wanted:
            statements.append(comment(self.schema, self.name, wanted["comment"]))
        return statements

    def guarded_statements(self) -> list[str]:
        """Return a block that looks at the properties."""
        states = [one for one in (self.options, self.becomes) if one]
        done = " OR ".join(
            lookup(self.schema, self.name, condition(checked(one))) for one in states
        )
        if self._is_leaving():
            done += f" OR NOT {lookup(self.schema, self.name)}"
        work = "".join(f"    {embedded(one)};\n" for one in self.statements())
        return [do_block(f"BEGIN\n  IF NOT ({done}) THEN\n{work}  END IF;\nEND")]

    def reverse(self) -> AlterSequence:
        """Go back to the properties before."""
        return AlterSequence(
            self.name,
            self.existing,
            existing=self.options,
            becomes=self.was,
            was=self.becomes,
            schema=self.schema,
        )

    def _is_leaving(self) -> bool:
        """Tell whether it only leaves its owner: it may be gone, too, after both."""
        return self.options == {"owned_by": []}


def _part(options: Mapping[str, Any], keys: list[str]) -> str:
    return ", ".join(f"{key} {options[key]!r}" for key in keys)
