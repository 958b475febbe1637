"""The part of a kind that knows other names: hints in the models, and what follows a rename."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from alembic.operations.ops import MigrateOperation
from sqlalchemy import MetaData, Table
from sqlalchemy.schema import SchemaItem

from pgmigrations.declare import rename_hint
from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.snapshot import Change, R, Scope, Snapshot

Place: TypeAlias = tuple[str, ...]


class HintWithoutName(PgMigrationsError):
    """A hint on something that the models give no name."""

    def __init__(self, what: str, old: str) -> None:
        super().__init__(
            f"The hint renamed_from({old!r}) is on {what}, which has no name",
            "Give it one, or a naming_convention to the MetaData",
        )


@dataclass(frozen=True)
class RenameHint:
    """What a model says of the name that an object has had before.

    Attributes:
        kind: What is renamed, in words: `column`, or `label` of an enum.
        place: What the name is unique in: the schema, or schema and table or enum, as they are
            called now.
        old: The name before.
        new: The name now.
        declared_at: `file:line` of the hint.
        item: The model; None for what has none.
        table: The table that it is in, or that it is.
    """

    kind: str
    place: Place
    old: str
    new: str
    declared_at: str
    item: SchemaItem | None = field(default=None, compare=False, repr=False)
    table: Table | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Renaming(Generic[R]):
    """How objects of a kind get another name.

    Attributes:
        operation: Makes the operation that renames one, from its place, the name before and the
            name now.
        hints: The hints in the models; None where there can be none.
        part: What is renamed within a record, such as a label; empty for a record itself.
        is_there: Tells whether a state has such a part of a name at a place.
        follows: The record before, made to be called like the one after and to have of it what
            can be changed in place: if they are the same then, the one was only renamed, with its
            table or column. None where that could lose rows.
        is_like: Where nothing follows: tells whether a record that goes looks like one that
            comes, out of all that is there before and after.
        likely: What to say of a change within one record that may be a rename.
    """

    operation: Callable[[Place, str, str, Scope], MigrateOperation]
    hints: Callable[[Sequence[MetaData], Scope], Iterable[RenameHint]] | None = None
    part: str = ""
    is_there: Callable[[Snapshot[R], Place, str], bool] | None = None
    follows: Callable[[R, R], R] | None = None
    is_like: Callable[[R, R, Snapshot[Any], Snapshot[Any]], bool] | None = None
    likely: Callable[[Change[R], Scope], Iterable[str]] | None = None


def hints_in_tables(
    kind: str,
    metadatas: Sequence[MetaData],
    scope: Scope,
    items: Callable[[Table], Iterable[tuple[SchemaItem, str | None]]],
    *,
    in_table: bool = True,
) -> Iterator[RenameHint]:
    """Yield the hints on what belongs to the tables of the models.

    Args:
        kind: What it is, in words.
        metadatas: The models.
        scope: Tells the default schema.
        items: The items of a table, with their names as the server has them.
        in_table: Whether such a name is unique within its table only.

    Raises:
        HintWithoutName: On an item without a name.
    """
    for metadata in metadatas:
        for table in metadata.tables.values():
            schema = table.schema or scope.default_schema
            place = (schema, table.name) if in_table else (schema,)
            for item, name in items(table):
                hint = rename_hint(item)
                if hint is None:
                    continue
                if name is None:
                    raise HintWithoutName(f"a {kind} of {table.fullname}", hint.old)
                yield RenameHint(kind, place, hint.old, name, hint.declared_at, item, table)
