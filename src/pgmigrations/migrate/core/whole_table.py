"""Tables that come or go whole, with everything in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeAlias

from alembic.operations.ops import (
    CreateTableOp,
    DropTableOp,
    MigrateOperation,
    ModifyTableOps,
)
from sqlalchemy.schema import SchemaItem

from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.snapshot import Change, Identity, Record

Phrasing: TypeAlias = Callable[[AnyKind, Change[Any], Difference], Sequence[MigrateOperation]]


class CreateTable(CreateTableOp):
    """Alembic's operation, whose reverse needs nothing but the name."""

    def reverse(self) -> DropTableOp:
        """Drop it again."""
        return DropTable(self.table_name, schema=self.schema, making=[self])


class DropTable(DropTableOp):
    """Alembic's operation, whose reverse makes everything in the table, too.

    Args:
        table_name: The table.
        schema: Its schema.
        making: The operations that make it.
    """

    def __init__(
        self, table_name: str, *, schema: str | None, making: Sequence[MigrateOperation]
    ) -> None:
        super().__init__(table_name, schema=schema)
        self.making = making

    def reverse(self) -> ModifyTableOps:  # type: ignore[override]
        """Make the table and what was in it."""
        return ModifyTableOps(self.table_name, list(self.making), schema=self.schema)

    def to_diff_tuple(self) -> tuple[str, Any]:
        """Return the operation as `alembic check` prints it."""
        return ("remove_table", self.table_name)


def table_order(tables: Sequence[Record], difference: Difference) -> list[Record]:
    """Sort tables so that each comes after those that it refers to, unless that is a cycle.

    Args:
        tables: Those to be made.
        difference: Tells what is declared in them.
    """
    waiting = {_place(one): one for one in tables}
    ordered: list[Record] = []
    for root in list(waiting):
        # Depth first, with a stack of its own: histories of a thousand tables refer deeply.
        stack = [(root, iter(_referred(waiting.get(root), difference)))]
        visiting = {root}
        while stack:
            place, referred = stack[-1]
            following = next(
                (one for one in referred if one in waiting and one not in visiting), None
            )
            if following is None:
                stack.pop()
                found = waiting.pop(place, None)
                if found is not None:
                    ordered.append(found)
            else:
                visiting.add(following)
                stack.append((following, iter(_referred(waiting[following], difference))))
    return ordered


def creations(
    tables: Sequence[Record], kinds: Sequence[AnyKind], difference: Difference, phrase: Phrasing
) -> Iterator[MigrateOperation]:
    """Yield the operations that make tables, and what is in them.

    Args:
        tables: Those that are declared and not there.
        kinds: The list of `pgmigrations.migrate.kinds`.
        difference: What is declared in them.
        phrase: Phrases the change of one object.
    """
    ordered = table_order(tables, difference)
    later = {_place(table) for table in ordered}
    for table in ordered:
        later.remove(_place(table))
        yield from _creation(table, kinds, difference, phrase, later)


def removals(
    tables: Sequence[Record],
    kinds: Sequence[AnyKind],
    difference: Difference,
    phrase: Phrasing,
    gone_before: Collection[Identity],
) -> Iterator[MigrateOperation]:
    """Yield the operations that drop tables; what is in one goes with it.

    A foreign key to a table that goes earlier would be in the way, and is dropped before.

    Args:
        tables: Those that are there and not declared.
        kinds: The list of `pgmigrations.migrate.kinds`.
        difference: From what is there to what is declared.
        phrase: Phrases the change of one object.
        gone_before: What is in the tables and dropped apart from them.
    """
    by_kind = {kind.name: kind for kind in kinds}
    backwards = difference.reversed()
    gone: set[tuple[str, str]] = set()
    for table in reversed(table_order(tables, backwards)):
        closing = {
            record.identity: record
            for record in backwards.declared_in(_place(table))
            if record.identity not in gone_before and not gone.isdisjoint(record.referred_relations)
        }
        for record in closing.values():
            yield from phrase(by_kind[record.kind], Change(record, None), difference)
        without = {*closing, *gone_before}
        making = _creation(table, kinds, backwards, phrase, gone, without)
        yield DropTable(
            table.name, schema=difference.scope.shown_schema(table.schema), making=[*making]
        )
        gone.add(_place(table))


def _creation(
    table: Record,
    kinds: Sequence[AnyKind],
    difference: Difference,
    phrase: Phrasing,
    later: Collection[tuple[str, str]],
    without: Collection[Identity] = (),
) -> Iterator[MigrateOperation]:
    """Yield the operation that makes a table, then those for what its statement cannot make.

    A foreign key to a table that comes later cannot be made with its own.
    """
    by_kind = {kind.name: kind for kind in kinds}
    elements: list[SchemaItem] = []
    completing: list[MigrateOperation] = []
    apart: list[Record] = []
    for record in difference.declared_in(_place(table)):
        # What has been there before the table is changed, not made.
        if record.identity in without or record.identity in difference.actual:
            continue
        comparison = by_kind[record.kind].comparison
        assert comparison is not None
        is_closing = any(place in later for place in record.referred_relations)
        parts = None
        if comparison.parts is not None and not is_closing:
            parts = comparison.parts(record, difference)
        if parts is None:
            apart.append(record)
        else:
            elements += parts
            if parts and comparison.completed is not None:
                completing += comparison.completed(record, difference)
    for operation in phrase(by_kind[table.kind], Change(None, table), difference):
        if isinstance(operation, CreateTableOp):
            operation.columns = elements
        yield operation
    yield from completing
    for record in apart:
        yield from phrase(by_kind[record.kind], Change(None, record), difference)


def _place(table: Record) -> tuple[str, str]:
    return (table.schema, table.name)


def _referred(table: Record | None, difference: Difference) -> Iterator[tuple[str, str]]:
    if table is not None:
        yield from table.referred_relations
        for record in difference.declared_in(_place(table)):
            yield from record.referred_relations
