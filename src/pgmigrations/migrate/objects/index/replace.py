"""The operation that makes an index anew, by another definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import UNRENDERED, DifferentObject, Operation
from pgmigrations.migrate.core.part import Part, are_as, look_at
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, qualified
from pgmigrations.migrate.objects.index.definition import Definition
from pgmigrations.migrate.objects.index.look import find, guard, is_same, lookup, shown
from pgmigrations.migrate.objects.index.options import creation

_PHASES = {"drop": Phase.DROP_DEPENDANT}
_REVERSED = {"drop": "create", "create": "drop", None: None}

# REPLICA IDENTITY asks for this (PostgreSQL manual, ALTER TABLE); else the table goes without.
_CAN_IDENTIFY = """i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
                        AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))"""


@dataclass(eq=False)
class ReplaceIndex(Operation):
    """`DROP INDEX` and `CREATE INDEX` as one change, which knows its own result."""

    operation_name: ClassVar[str] = "replace_index"
    phase: ClassVar[Phase] = Phase.CREATE_DEPENDANT
    name: str
    table: str
    old: str
    new: str
    old_options: Mapping[str, Any] | None = field(default=None, kw_only=True)
    new_options: Mapping[str, Any] | None = field(default=None, kw_only=True)
    step: str | None = field(default=None, kw_only=True)
    until: Sequence[Part] | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    since: Sequence[Part] | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    is_identity: bool = field(default=False, init=False, metadata=UNRENDERED)

    @classmethod
    def replace_index(
        cls,
        operations: Operations,
        name: str,
        table: str,
        old: str,
        new: str,
        *,
        old_options: Mapping[str, Any] | None = None,
        new_options: Mapping[str, Any] | None = None,
        step: str | None = None,
        until: Sequence[Sequence[str]] | None = None,
        schema: str | None = None,
    ) -> None:
        """Drop an index and create it by another definition, unless it has that already.

        Emits `DROP INDEX` (ACCESS EXCLUSIVE on the table) and `CREATE INDEX` (SHARE on the
        table), and says again that the index is the replica identity where it was. An INVALID one
        is made anew, also where both definitions are the same. Its reverse swaps them.

        Example:
            op.replace_index(
                "ix_n",
                "t",
                "CREATE INDEX ix_n ON public.t USING btree (n)",
                "CREATE INDEX ix_n ON public.t USING btree (n DESC)",
            )

        Args:
            name: The index, unquoted.
            table: The table that the new one is on, unquoted.
            old: The definition before, as `pg_get_indexdef()` prints it.
            new: The definition after. Names and schema in both are not looked at.
            old_options: `tablespace`, `statistics`, `clustered` and `comment` before, where they
                differ from the default.
            new_options: The same after.
            step: `"drop"` or `"create"` does only that half, where the type of a column changes
                between the two, or other indexes of a partitioned table; by default both.
            until: For a step, `column`, schema, table, name and type of the columns that change;
                before, an index that is as `new` says is taken for one that is as `old` says.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: The index has neither definition.
            UnreadableDefinition: A definition has another form than the server prints.
        """
        operations.invoke(
            cls(
                name,
                table,
                old,
                new,
                old_options=old_options,
                new_options=new_options,
                step=step,
                until=until,
                schema=schema,
            )
        )

    def runs_in(self) -> Phase:
        """Return the phase of the step."""
        return _PHASES.get(self.step or "", self.phase)

    @property
    def subject(self) -> str:
        """What it changes."""
        return shown(self.schema, self.name)

    def pending(self, connection: Connection) -> bool:
        """Look for the index, and let the server compare the definitions."""
        found = find(connection, self.schema, self.name)
        if found is None:
            return self.step != "drop"
        self.is_identity = found.is_replica_identity
        if not found.is_valid:
            return True
        may_be_done = self.step != "drop" or look_at(connection, self.until or ())
        if may_be_done and is_same(connection, self.schema, found, Definition.parse(self.new)):
            return False
        if not is_same(connection, self.schema, found, Definition.parse(self.old)):
            raise DifferentObject(self.subject, f"{self.old} or {self.new}", found.definition)
        return True

    def statements(self) -> list[str]:
        """Return what drops it, and what makes it."""
        dropped = f"DROP INDEX IF EXISTS {qualified(self.schema, self.name)}"
        if self.step == "drop":
            return [dropped]
        return [dropped, *self._creation(), *([self._identity()] if self.is_identity else [])]

    def _creation(self) -> list[str]:
        statement = Definition.parse(self.new).statement(self.schema, self.name)
        return creation(self.schema, self.table, self.name, statement, self.new_options)

    def _identity(self) -> str:
        table = qualified(self.schema, self.table)
        statement = f"ALTER TABLE {table} REPLICA IDENTITY USING INDEX {identifier(self.name)}"
        suits = lookup(self.schema, self.name, _CAN_IDENTIFY)
        return do_block(f"BEGIN\n  IF {suits} THEN\n    {statement};\n  END IF;\nEND")

    def guarded_statements(self) -> list[str]:
        """Return a block that lets the server compare the definitions."""
        dropped = f"DROP INDEX IF EXISTS {qualified(self.schema, self.name)}"
        parts = [dropped, *(self._creation() if self.step != "drop" else [])]
        work = "".join(f"{one};\n    " for one in parts).rstrip()
        if self.step != "drop":
            was = lookup(self.schema, self.name, "i.indisreplident")
            work = f"one := {was};\n    {work}\n    IF one::boolean THEN\n    "
            work += f"{self._identity()};\n    END IF;"
        wanted, old = Definition.parse(self.new), Definition.parse(self.old)
        may_be_done = are_as((self.until if self.step == "drop" else None) or ())
        block = guard(self.schema, self.name, wanted, old, work, may_be_done=may_be_done)
        return [do_block(block)]

    def reverse(self) -> ReplaceIndex:
        """Go back to the definition before."""
        return ReplaceIndex(
            self.name,
            Definition.parse(self.old).table,
            self.new,
            self.old,
            old_options=self.new_options,
            new_options=self.old_options,
            step=_REVERSED[self.step],
            until=self.since,
            since=self.until,
            schema=self.schema,
        )
