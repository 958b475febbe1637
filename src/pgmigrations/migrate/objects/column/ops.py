"""The operation that changes a column where Alembic has no exact word for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from alembic.operations.ops import ModifyTableOps
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import qualified
from pgmigrations.migrate.objects.column.catalog import ColumnRecord, definition_of, find
from pgmigrations.migrate.objects.column.change import (
    HEAVY,
    PROPERTIES,
    guarded_block,
    heavy_statements,
    is_serial_default,
    light_statements,
)
from pgmigrations.migrate.objects.column.reprinted import reprinted

State = Mapping[str, Any]

_LASTING = frozenset({"compression", "statistics", "options"})


@dataclass(eq=False)
class ChangeColumn(Operation):
    """`ALTER TABLE … ALTER COLUMN`, for whatever differs between two states of a column."""

    operation_name: ClassVar[str] = "change_column"
    phase: ClassVar[Phase] = Phase.ALTER
    table: str
    column: str
    old: State
    new: State
    using: str | None = field(default=None, kw_only=True)
    old_using: str | None = field(default=None, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    until: Mapping[str, Sequence[str]] | None = field(default=None, kw_only=True)
    way_back: ChangeColumn | None = field(
        default=None, kw_only=True, repr=False, metadata=UNRENDERED
    )
    """Its reverse, where that is more than the two states the other way round."""
    _left: frozenset[str] | None = field(default=None, init=False, repr=False, metadata=UNRENDERED)
    _has_partitions: bool = field(default=False, init=False, repr=False, metadata=UNRENDERED)

    @classmethod
    def change_column(
        cls,
        operations: Operations,
        table: str,
        column: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        using: str | None = None,
        old_using: str | None = None,
        schema: str | None = None,
        until: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Change a column from one state to another, unless that is done.

        Both states name the same properties, those that differ, as the server prints them:

        `type` (`"numeric(10,2)"`), `collation` (`'pg_catalog."C"'`), `default` (an expression),
        `not_null` (`"NOT NULL"`), `generated` (`"STORED (price * 2)"`), `identity_options`
        (`"ALWAYS START 1 INCREMENT 1"`), `storage` (`"p"` plain, `"e"` external, `"m"` main, `"x"`
        extended), `compression` (`"lz4"`), `statistics` (`"500"`), `options`
        (`["n_distinct=5"]`) and `comment`. Empty means none, or the server's own choice.

        Emits `ALTER TABLE … ALTER COLUMN`, which takes ACCESS EXCLUSIVE on the table (SHARE UPDATE
        EXCLUSIVE for statistics and options alone). Statistics are set on the table alone, not on
        those that inherit from it; compression also on its partitions, which hold the values. A
        change of type rewrites the table and its indexes, but for those that only lengthen; a
        default is taken away before it and set again after it. A generated expression is
        changed in place by PostgreSQL 17; before, and between STORED and VIRTUAL or a plain
        column, the column is made again with its indexes, constraints, statistics and
        privileges, in partitions, too: its values follow from the others. What becomes a
        plain column keeps its values; what becomes a generated one loses its own. An identity
        that is added counts on from the largest value, and so does one that turns, and a
        sequence whose numbers become a column's default; else where one is counting stays, or
        becomes the nearest that new limits allow.

        Its reverse goes from `new` to `old`.

        Example:
            op.change_column(
                "book",
                "year",
                {"type": "text"},
                {"type": "integer"},
                using="year::integer",
            )

        Args:
            table: The table, unquoted.
            column: The column, unquoted.
            old: The properties as they are.
            new: The properties as they shall be.
            using: The expression that makes an old value into a new one, names in it quoted
                where they need be; by default the server converts as INSERT does.
            old_using: The same for the way back.
            schema: The table's schema; by default the first of the search path.
            until: For a generated column that lets go of others while they change: their names,
                each with its definition before and after, empty where it is not there. Once all
                of them are as after, it has nothing to let go of.

        Raises:
            DifferentObject: The column is neither in the one state nor in the other.
            MissingObject: There is no such column.
        """
        operations.invoke(
            cls(
                table,
                column,
                old,
                new,
                using=using,
                old_using=old_using,
                schema=schema,
                until=until,
            )
        )

    def __post_init__(self) -> None:
        unknown = sorted({*self.old, *self.new} - set(PROPERTIES))
        if unknown or set(self.old) != set(self.new):
            raise ValueError(
                f"op.change_column() takes the same properties twice, of {', '.join(PROPERTIES)}"
                + (f"; not {', '.join(unknown)}" if unknown else "")
            )

    @property
    def subject(self) -> str:
        """What it changes."""
        place = f"{self.schema}." if self.schema else ""
        return f"column {self.column} of {place}{self.table}"

    def runs_in(self) -> Phase:
        """Free the name of an identity's sequence before another sequence may take it.

        A generated column lets go of others before they change, and is made of them afterwards.
        """
        if "generated" in self.new and self.old["generated"] != self.new["generated"]:
            if self.new["generated"]:
                return Phase.GENERATE
            return Phase.SUSPEND if self.until else Phase.RELEASE
        lost = [name for name, value in self.new.items() if not value and self.old[name]]
        is_freeing = set(self.new) == set(lost) and lost in (["identity_options"], ["default"])
        if is_freeing and (lost != ["default"] or is_serial_default(self.old["default"])):
            return Phase.CREATE_TYPE
        if set(self.new) <= _LASTING and any(self.new.values()):
            # Those of an inherited column suit the type that comes with its parent's change.
            return Phase.COMPLETE
        return self.phase

    def pending(self, connection: Connection) -> bool:
        """Look which of the two states each property has."""
        found = find(connection, self.schema, self.table, self.column)
        if found is None:
            raise MissingObject(self.subject, "Add it first, with op.add_column()")
        if self.until and not self.new["generated"] and self._are_changed(connection):
            return False
        if "compression" in self.new:
            self._has_partitions = _has_partitions(connection, self.schema, self.table)
        left = set(self.new)
        other = set(self.old)
        for name in self.new:
            if _is_same(connection, found, self.new, name):
                left.remove(name)
            if name not in left or _is_same(connection, found, self.old, name):
                other.remove(name)
        if other:
            names = sorted(other)
            raise DifferentObject(
                self.subject,
                ", ".join(f"{name} {self.old[name]!r} or {self.new[name]!r}" for name in names),
                ", ".join(f"{name} {getattr(found, name)!r}" for name in names),
            )
        self._left = frozenset(left)
        return bool(left)

    def _are_changed(self, connection: Connection) -> bool:
        assert self.until is not None
        return all(
            definition_of(find(connection, self.schema, self.table, name)) == after
            for name, (_, after) in self.until.items()
        )

    def statements(self) -> list[str]:
        """Return the statements for what `pending` found undone."""
        names = set(self.new) if self._left is None else set(self._left)
        if names & set(HEAVY):
            # Each takes the default and the like away and gives them back.
            names = set(self.new)
        old = {name: self.old[name] for name in names}
        new = {name: self.new[name] for name in names}
        place = (self.schema, self.table, self.column)
        heavy = heavy_statements(place, old, new, self.using) if names & set(HEAVY) else []
        return [*heavy, *light_statements(place, old, new, has_partitions=self._has_partitions)]

    def guarded_statements(self) -> list[str]:
        """Return blocks that look by themselves for what cannot be done twice."""
        place = (self.schema, self.table, self.column)
        heavy = []
        if set(self.new) & set(HEAVY):
            statements = heavy_statements(place, self.old, self.new, self.using)
            heavy = [guarded_block(place, self.old, self.new, statements)]
        light = light_statements(place, self.old, self.new, guarded=True, has_partitions=True)
        return [*heavy, *light]

    def reverse(self) -> ChangeColumn:
        """Go back to the state before."""
        if self.way_back is not None:
            return self.way_back
        return ChangeColumn(
            self.table,
            self.column,
            self.new,
            self.old,
            using=self.old_using,
            old_using=self.using,
            schema=self.schema,
            until=self.until and {name: [*states[::-1]] for name, states in self.until.items()},
        )


class CompleteColumn(ChangeColumn):
    """The same for a column that was made just before, with which the change goes again."""

    phase = Phase.COMPLETE

    def reverse(self) -> ModifyTableOps:  # type: ignore[override]
        """Do nothing."""
        return ModifyTableOps(self.table, [], schema=self.schema)


def _has_partitions(connection: Connection, schema: str | None, table: str) -> bool:
    found = connection.execute(
        text("SELECT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(CAST(:name AS regclass)))"),
        {"name": qualified(schema, table)},
    )
    return bool(found.scalar_one())


def _is_same(connection: Connection, found: ColumnRecord, state: State, name: str) -> bool:
    wanted = tuple(state[name]) if name == "options" else state[name]
    if getattr(found, name) == wanted:
        return True
    if name not in ("default", "generated") or not wanted or not getattr(found, name):
        return False
    # The record of the state, as far as it is told: a default prints with its column's type.
    told = {key: state[key] for key in ("type", "collation", name) if key in state}
    one = reprinted(connection, dataclasses.replace(found, **told))
    return bool(getattr(one, name) == getattr(reprinted(connection, found), name))
