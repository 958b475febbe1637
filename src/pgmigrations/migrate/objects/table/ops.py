"""The operation that changes a table's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.objects.table.catalog import TableRecord, find
from pgmigrations.migrate.objects.table.change import PROPERTIES, change_statements

State = Mapping[str, Any]


_TOAST = "toast."


@dataclass(eq=False)
class ChangeTable(Operation):
    """`ALTER TABLE`, for the settings that differ between two states of a table."""

    operation_name: ClassVar[str] = "change_table"
    phase: ClassVar[Phase] = Phase.ALTER
    table: str
    old: State
    new: State
    schema: str | None = field(default=None, kw_only=True)
    becomes: State | None = field(default=None, kw_only=True)
    was: State | None = field(default=None, kw_only=True, metadata=UNRENDERED)
    _left: frozenset[str] | None = field(default=None, init=False, repr=False, metadata=UNRENDERED)

    @classmethod
    def change_table(
        cls,
        operations: Operations,
        table: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        schema: str | None = None,
        becomes: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a table's settings from one state to another, unless that is done.

        Both states name the same properties, those that differ, as the server prints them:

        `parents` (the tables that it inherits from, each a list of schema and name; with the
        columns that it needs already there), `persistence` (`"p"` logged, `"u"`
        unlogged), `options` (storage parameters such as
        `["fillfactor=70", "toast.autovacuum_enabled=off"]`), `row_security` (`"enabled"`,
        `"forced"`, `"enabled forced"` or empty), `replica_identity` (`"d"` default, `"n"` nothing,
        `"f"` full, or `"i"` and an index: `"i book_pkey"`), `tablespace` (empty for the
        database's own), `access_method` and `comment`.

        Emits `ALTER TABLE`, which takes ACCESS EXCLUSIVE (SHARE UPDATE EXCLUSIVE for most storage
        parameters); another persistence, tablespace or access method rewrites the table. An
        unlogged table is empty after a crash. Its reverse goes from `new` to `old`. PostgreSQL 14
        or newer, 15 for the access method (PostgreSQL manual, ALTER TABLE).

        Example:
            op.change_table("book", {"options": []}, {"options": ["fillfactor=70"]})

        Args:
            table: The table, unquoted.
            old: The properties as they are.
            new: The properties as they shall be.
            schema: The table's schema; by default the first of the search path.
            becomes: The properties as they are later in the same revision; where they are like
                that already, nothing is done.

        Raises:
            DifferentObject: The table is neither in the one state nor in the other.
            MissingObject: There is no such table.
        """
        operations.invoke(cls(table, old, new, schema=schema, becomes=becomes))

    def __post_init__(self) -> None:
        unknown = sorted({*self.old, *self.new} - set(PROPERTIES))
        if unknown or set(self.old) != set(self.new):
            raise ValueError(
                f"op.change_table() takes the same properties twice, of {', '.join(PROPERTIES)}"
                + (f"; not {', '.join(unknown)}" if unknown else "")
            )

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"table {self.schema}.{self.table}" if self.schema else f"table {self.table}"

    def runs_in(self) -> Phase:
        """Let go of an index and of parents early, and wait for them, and for TOAST.

        There is no TOAST table, and nothing keeps its parameters, while no column needs one.
        """
        if "parents" in self.new:
            return Phase.PARTITION if self.new["parents"] else Phase.DROP_FOREIGN_KEY
        if any(one.startswith(_TOAST) for one in self.new.get("options", ())):
            return Phase.COMPLETE
        if str(self.new.get("replica_identity", "")).startswith("i"):
            return Phase.NARROW_TYPE
        lets_go = str(self.old.get("replica_identity", "")).startswith("i")
        return Phase.DROP_FOREIGN_KEY if lets_go else self.phase

    def pending(self, connection: Connection) -> bool:
        """Look which of the two states each property has."""
        found = find(connection, self.schema, self.table)
        if found is None:
            raise MissingObject(self.subject, "Create it first, with op.create_table()")
        if self.becomes and all(_is_same(found, self.becomes, name) for name in self.becomes):
            return False
        left = [name for name in self.new if not _is_same(found, self.new, name)]
        other = [
            name
            for name in left
            if not (_is_same(found, self.old, name) or _is_without_toast(found, self.old, name))
        ]
        if other:
            raise DifferentObject(
                self.subject,
                ", ".join(f"{name} {self.old[name]!r} or {self.new[name]!r}" for name in other),
                ", ".join(f"{name} {getattr(found, name)!r}" for name in other),
            )
        self._left = frozenset(left)
        return bool(left)

    def statements(self) -> list[str]:
        """Return the statements for what `pending` found undone."""
        names = set(self.new) if self._left is None else self._left
        new = {name: value for name, value in self.new.items() if name in names}
        return change_statements(self.schema, self.table, self.old, new)

    def guarded_statements(self) -> list[str]:
        """Return the statements; each may be said any number of times."""
        return change_statements(self.schema, self.table, self.old, self.new)

    def reverse(self) -> ChangeTable:
        """Go back to the state before."""
        return ChangeTable(
            self.table,
            self.new,
            self.old,
            schema=self.schema,
            becomes=self.was,
            was=self.becomes,
        )


def _is_without_toast(found: TableRecord, state: State, name: str) -> bool:
    """Tell whether a state's parameters are there but for those that went with a TOAST table."""
    if name != "options":
        return False
    return found.options == tuple(one for one in state[name] if not one.startswith(_TOAST))


def _is_same(found: TableRecord, state: State, name: str) -> bool:
    if name == "parents":
        return {tuple(one) for one in state[name]} == set(found.parents)
    wanted = tuple(state[name]) if name == "options" else state[name]
    return bool(getattr(found, name) == wanted)
