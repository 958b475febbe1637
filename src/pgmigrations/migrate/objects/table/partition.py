"""The operation that makes, moves and drops the partitions of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from alembic.operations import Operations
from sqlalchemy import Connection

from pgmigrations.migrate.core.operation import (
    RELATION,
    TYPE,
    UNRENDERED,
    DifferentObject,
    MissingObject,
    Name,
    Operation,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, literal, qualified
from pgmigrations.migrate.objects.table.catalog import find

Entry: TypeAlias = Sequence[str | None]
"""Schema, name and bound; its own partition key, and schema and name of a nearer parent."""

_LENGTH = 6


def shortened(partition: Sequence[str], show: dict[str, str | None]) -> list[str | None]:
    """Write a partition as a revision says it.

    Args:
        partition: As the table's record has it.
        show: Schemas by the names that a revision shows.
    """
    schema, name, bound, key, parent_schema, parent = partition
    entry = [show.get(schema, schema), name, bound, key]
    if parent:
        return [*entry, show.get(parent_schema, parent_schema), parent]
    return entry if key else entry[:3]


@dataclass(eq=False)
class ChangePartitions(Operation):
    """`CREATE TABLE … PARTITION OF`, `ATTACH PARTITION`, `DETACH PARTITION` and `DROP TABLE`."""

    operation_name: ClassVar[str] = "change_partitions"
    phase: ClassVar[Phase] = Phase.PARTITION
    table: str
    old: Sequence[Entry]
    new: Sequence[Entry]
    schema: str | None = field(default=None, kw_only=True)
    with_table: bool = field(default=False, kw_only=True, metadata=UNRENDERED)
    """Whether the table comes, or goes, in the same revision."""

    @classmethod
    def change_partitions(
        cls,
        operations: Operations,
        table: str,
        old: Sequence[Sequence[str | None]],
        new: Sequence[Sequence[str | None]],
        *,
        schema: str | None = None,
    ) -> None:
        """Give a partitioned table other partitions, unless it has them.

        A partition that is in `old` alone is dropped, with its rows. One that is in both and gets
        another bound is detached and attached again, which reads its rows. One that is in `new`
        alone is attached where a table of its name is there, else made. Partitions that are in
        neither are left alone.

        Emits `ALTER TABLE … DETACH PARTITION`, `DROP TABLE` and `CREATE TABLE … PARTITION OF`
        (ACCESS EXCLUSIVE on the table), `ALTER TABLE … ATTACH PARTITION` (SHARE UPDATE EXCLUSIVE
        on it). Its reverse goes from `new` to `old` (PostgreSQL manual, 5.12 Table Partitioning).

        Example:
            op.change_partitions(
                "visit",
                [[None, "visit_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"]],
                [
                    [None, "visit_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"],
                    [None, "visit_rest", "DEFAULT"],
                ],
            )

        Args:
            table: The partitioned table, unquoted.
            old: Its partitions before, each a list: schema (None for the first of the search
                path), name, and `FOR VALUES …` or `DEFAULT`; for one that is partitioned itself
                its key, such as `LIST (kind)`; for a partition of a partition also schema and name
                of that one, which comes before it.
            new: The same after.
            schema: The table's schema; by default the first of the search path.

        Raises:
            DifferentObject: A partition has another bound, key or parent than the two.
            MissingObject: There is no such table.
        """
        operations.invoke(cls(table, old, new, schema=schema))

    def takes(self) -> list[Name]:
        """Return the names of the tables that it makes."""
        there = {tuple(one[:2]) for one in self.old}
        made = [one[:2] for one in self.new if tuple(one[:2]) not in there]
        return [(sort, one[0], str(one[1])) for one in made for sort in (RELATION, TYPE)]

    @property
    def subject(self) -> str:
        """What it changes."""
        table = f"{self.schema}.{self.table}" if self.schema else self.table
        return f"the partitions of table {table}"

    def runs_in(self) -> Phase:
        """Free the names of partitions that go before something else takes them.

        Those that go with their table wait until the tables that refer to it have gone.
        """
        if self.new:
            return self.phase
        return Phase.TABLE if self.with_table else Phase.DROP_DEPENDANT

    @property
    def drops_table(self) -> bool:
        """Tell whether it goes where tables go."""
        return self.with_table and not self.new

    def pending(self, connection: Connection) -> bool:
        """Look which of the two states each partition has."""
        record = find(connection, self.schema, self.table)
        if record is None and not self.new:
            # They went with their table.
            return False
        if record is None:
            raise MissingObject(
                self.subject.removeprefix("the partitions of "),
                "Create it first, with op.create_table()",
            )
        here = str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
        found = {tuple(one[:2]): tuple(one) for one in record.partitions}
        old, new = (
            {tuple(one[:2]): one for one in (_complete(entry, here) for entry in state)}
            for state in (self.old, self.new)
        )
        is_pending = False
        for place in {**old, **new}:
            states = (old.get(place), new.get(place))
            there = found.get(place)
            if there is not None and there not in states:
                wanted = " or ".join(one[2] for one in states if one is not None)
                raise DifferentObject(f"partition {'.'.join(place)}", wanted, " ".join(there[2:]))
            is_pending = is_pending or there != states[1]
        return is_pending

    def statements(self) -> list[str]:
        """Return blocks that look by themselves, at each partition."""
        new = {tuple(one[:2]): one for one in self.new}
        kept = {tuple(one[:2]) for one in self.old if tuple(one[:2]) in new}
        gone = [one for one in self.old if tuple(one[:2]) not in new]
        moved = [one for one in self.old if tuple(one[:2]) in kept and one != new[tuple(one[:2])]]
        return [
            *(self._removal(one, is_kept=True) for one in reversed(moved)),
            *(self._removal(one, is_kept=False) for one in reversed(gone)),
            *(self._making(one) for one in self.new),
        ]

    guarded_statements = statements

    def _removal(self, entry: Entry, *, is_kept: bool) -> str:
        child, parent = qualified(entry[0], _name(entry)), self._parent(entry)
        work = f"ALTER TABLE {parent} DETACH PARTITION {child}"
        if not is_kept:
            # Dropped in place, it would take foreign keys to its table for its own.
            work = f"{work};\n    DROP TABLE {child}"
        condition = _is_partition(child, parent, entry[2] or "")
        return do_block(f"BEGIN\n  IF {condition} THEN\n    {work};\n  END IF;\nEND")

    def _making(self, entry: Entry) -> str:
        child, parent, bound = qualified(entry[0], _name(entry)), self._parent(entry), entry[2]
        key = f" PARTITION BY {entry[3]}" if len(entry) > 3 and entry[3] else ""
        return do_block(f"""\
BEGIN
  IF to_regclass({literal(child)}) IS NULL THEN
    CREATE TABLE {child} PARTITION OF {parent} {bound}{key};
  ELSIF NOT (SELECT c.relispartition FROM pg_catalog.pg_class c
             WHERE c.oid = to_regclass({literal(child)})) THEN
    ALTER TABLE {parent} ATTACH PARTITION {child} {bound};
  ELSIF NOT {_is_partition(child, parent, bound or "")} THEN
    RAISE EXCEPTION '% is there, but differs', {literal(f"partition {_name(entry)}")};
  END IF;
END""")

    def _parent(self, entry: Entry) -> str:
        if len(entry) == _LENGTH:
            return qualified(entry[4], str(entry[5]))
        return qualified(self.schema, self.table)

    def reverse(self) -> ChangePartitions:
        """Go back to the partitions before."""
        return ChangePartitions(
            self.table, self.new, self.old, schema=self.schema, with_table=self.with_table
        )


def _name(entry: Entry) -> str:
    return str(entry[1])


def _complete(entry: Entry, here: str) -> tuple[str, ...]:
    schema, name, bound, *rest = entry
    key, *parent = rest or ["", "", ""]
    parent_schema, parent_name = parent or ["", ""]
    if parent_name and parent_schema is None:
        parent_schema = here
    values = (schema or here, name, bound, key, parent_schema, parent_name)
    return tuple(str(value or "") for value in values)


def _is_partition(child: str, parent: str, bound: str) -> str:
    """Write the condition that a table is a partition of another, by this bound."""
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
    WHERE c.oid = to_regclass({literal(child)}) AND c.relispartition
      AND i.inhparent = to_regclass({literal(parent)})
      AND pg_catalog.pg_get_expr(c.relpartbound, c.oid) = {literal(bound)})"""
