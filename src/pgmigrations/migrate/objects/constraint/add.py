"""The operations that add and remove a constraint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    RELATION,
    UNRENDERED,
    DifferentObject,
    Name,
    Operation,
)
from pgmigrations.migrate.core.part import Part, are_as, look_at
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.objects.constraint.block import (
    IS_FIRST,
    is_other_than,
    looking_block,
    refusal,
)
from pgmigrations.migrate.objects.constraint.look import (
    find,
    has_index,
    is_foreign_key,
    is_same,
    shown,
)
from pgmigrations.migrate.objects.constraint.sql import (
    adding,
    commenting,
    dropping,
)


@dataclass(eq=False)
class AddConstraint(Operation):
    """`ALTER TABLE … ADD CONSTRAINT`, unless it is there."""

    operation_name: ClassVar[str] = "add_constraint"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    table: str
    definition: str
    schema: str | None = field(default=None, kw_only=True)
    comment: str | None = field(default=None, kw_only=True)
    was: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    since: Sequence[Part] | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    until: Sequence[Part] | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    is_there: bool = field(default=False, init=False, metadata=UNRENDERED)

    @classmethod
    def add_constraint(
        cls,
        operations: Operations,
        name: str,
        table: str,
        definition: str,
        *,
        schema: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Add a constraint of any sort, unless it is there and means the same.

        Emits `ALTER TABLE … ADD CONSTRAINT`, which checks every row under ACCESS EXCLUSIVE on the
        table; a foreign key under SHARE ROW EXCLUSIVE on both tables. Its reverse is
        `op.remove_constraint` (PostgreSQL manual, ALTER TABLE).

        Example:
            op.add_constraint("positive", "one", "CHECK (number > 0)")
            op.add_constraint(
                "one_to_two", "one", "FOREIGN KEY (two) REFERENCES public.two(id)"
            )

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            definition: What follows the name in SQL, as `pg_get_constraintdef()` prints it.
            schema: The table's schema; by default the first of the search path.
            comment: A comment on it; by default none is set.

        Raises:
            DifferentObject: The table has a constraint of that name, and the server prints another
                definition of it.
        """
        operations.invoke(cls(name, table, definition, schema=schema, comment=comment))

    def takes(self) -> list[Name]:
        """Return the name of the index that it brings, if any."""
        return [(RELATION, self.schema, self.name)] if has_index(self.definition) else []

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.table, self.name)

    def runs_in(self) -> Phase:
        """Run after what a foreign key refers to."""
        return Phase.CREATE_FOREIGN_KEY if is_foreign_key(self.definition) else self.phase

    def pending(self, connection: Connection) -> bool:
        """Look for the constraint and its comment."""
        found = find(connection, self.schema, self.table, self.name)
        self.is_there = found is not None
        if found is None:
            return True
        if not is_same(connection, self.schema, self.table, found.definition, self.definition):
            raise DifferentObject(self.subject, self.definition, found.definition)
        return self.comment is not None and found.comment != self.comment

    def statements(self) -> list[str]:
        """Return what is left to do since the look."""
        comment = [] if self.comment is None else [self._commenting()]
        return comment if self.is_there else [self._adding(), *comment]

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the definition of what is there."""
        comment = "" if self.comment is None else f"{self._commenting()};"
        act = f"""\
  IF found IS NULL THEN
    {self._adding()};
    {comment}
  ELSIF NOT ({IS_FIRST}) THEN
    {refusal(self.subject)}"""
        if self.comment is not None:
            act += f"\n  ELSIF note <> {literal(self.comment)} THEN\n    {comment}"
        act += "\n  END IF;"
        return [looking_block(self.schema, self.table, self.name, [self.definition], act)]

    def reverse(self) -> RemoveConstraint:
        """Remove it again."""
        return RemoveConstraint(
            self.name,
            self.table,
            self.definition,
            becomes=self.was,
            until=self.since,
            since=self.until,
            schema=self.schema,
            comment=self.comment,
        )

    def _adding(self) -> str:
        return adding(self.schema, self.table, self.name, self.definition)

    def _commenting(self) -> str:
        return commenting(self.schema, self.table, self.name, self.comment)


@dataclass(eq=False)
class RemoveConstraint(Operation):
    """`ALTER TABLE … DROP CONSTRAINT`, if it is there."""

    operation_name: ClassVar[str] = "remove_constraint"
    phase: ClassVar[Phase] = Phase.DROP_DEPENDANT
    name: str
    table: str
    definition: str
    becomes: str | None = field(default=None, kw_only=True)
    until: Sequence[Part] | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    comment: str | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    since: Sequence[Part] | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def remove_constraint(
        cls,
        operations: Operations,
        name: str,
        table: str,
        definition: str,
        *,
        becomes: str | None = None,
        until: Sequence[Sequence[str]] | None = None,
        schema: str | None = None,
    ) -> None:
        """Drop a constraint, if it is there and means what the revision says.

        Emits `ALTER TABLE IF EXISTS … DROP CONSTRAINT IF EXISTS`, which takes ACCESS EXCLUSIVE on
        the table, for a foreign key on both tables. Its reverse is `op.add_constraint`
        (PostgreSQL manual, ALTER TABLE).

        Example:
            op.remove_constraint("positive", "one", "CHECK ((number > 0))")

        Args:
            name: The constraint, unquoted.
            table: Its table, unquoted.
            definition: What it is, as `pg_get_constraintdef()` prints it. Where the server cannot
                make it any more, since columns or labels have changed, it is not compared.
            becomes: The definition that it gets later in the same revision, for one whose columns
                change in between; where it is like that already, nothing is done.
            until: What changes in between, for one that makes way for it and is added again after:
                `column`, `constraint` or `index`, schema, table, name and definition of each, the
                definition empty for what is gone; or `table`, schema, table, an empty name, and
                `LOGGED` or `UNLOGGED`. Once all of them are like that and the
                constraint means what it shall, nothing is done.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The constraint is there, and the server prints another definition.
        """
        operations.invoke(cls(name, table, definition, becomes=becomes, until=until, schema=schema))

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.table, self.name)

    def runs_in(self) -> Phase:
        """Run before what a foreign key refers to."""
        return Phase.DROP_FOREIGN_KEY if is_foreign_key(self.definition) else self.phase

    def pending(self, connection: Connection) -> bool:
        """Look for the constraint, and whether the revision has done its work before."""
        found = find(connection, self.schema, self.table, self.name)
        if found is None or not found.is_local:
            return False
        place = (connection, self.schema, self.table, found.definition)
        # Before what it makes way for has changed, both definitions may mean the same.
        may_be_done = self._comes_back and (not self.until or look_at(connection, self.until))
        if may_be_done and is_same(*place, self._wanted):
            return False
        if is_same(*place, self.definition) is False:
            raise DifferentObject(self.subject, f"{self.definition} to drop", found.definition)
        return True

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [dropping(self.schema, self.table, self.name)]

    def guarded_statements(self) -> list[str]:
        """Return a block that compares the definition of what is there."""
        done = ["found IS NULL", "NOT is_local"]
        definitions = [self.definition]
        if self._comes_back:
            definitions.append(self._wanted)
            done.append("(may_be_done AND found = coalesce(printed[2], definitions[2]))")
        act = f"""\
  IF {" OR ".join(done)} THEN
    RETURN;
  ELSIF {is_other_than(1)} THEN
    {refusal(self.subject)}
  END IF;
  {self.statements()[0]};"""
        may_be_done = are_as(self.until or ())
        block = looking_block(
            self.schema, self.table, self.name, definitions, act, may_be_done=may_be_done
        )
        return [block]

    @property
    def _comes_back(self) -> bool:
        return self.becomes is not None or bool(self.until)

    @property
    def _wanted(self) -> str:
        return self.definition if self.becomes is None else self.becomes

    def reverse(self) -> AddConstraint:
        """Add it as it was."""
        return AddConstraint(
            self.name,
            self.table,
            self.definition,
            schema=self.schema,
            comment=self.comment,
            was=self.becomes,
            since=self.until,
            until=self.since,
        )
