"""What the server has for all its databases, and no revision makes."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.kind import AnyKind, Difference
from pgmigrations.migrate.core.operation import DifferentObject, Operation
from pgmigrations.migrate.core.snapshot import Change

Arguments: TypeAlias = tuple[object, ...]


def unmade(
    kinds: Sequence[AnyKind], migration: MigrationContext, difference: Difference
) -> list[Change[Any]]:
    """Find what is declared and on the server already, though no revision makes it.

    A role may be there since another database of the server was migrated. The next server lacks
    it: a revision has to make it, and does nothing here.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        migration: The context, whose revisions are read.
        difference: Both states.

    Returns:
        A change from nothing to what is declared, for each; none for what an operation would
        refuse to take for its own.
    """
    if migration.script is None:
        return []
    there = [
        (kind, record)
        for kind in kinds
        if kind.is_on_server
        and kind.comparison is not None
        and kind.comparison.declared is not None
        for record in kind.comparison.declared(difference.metadatas, difference.scope, {}, {})
        if record.identity in difference.found
    ]
    if not there:
        return []
    operations = {one.operation_name: one for kind, _ in there for one in kind.operations}
    made = [_Calls.in_file(Path(one.path), operations) for one in migration.script.walk_revisions()]
    changes: list[Change[Any]] = []
    for kind, record in there:
        change: Change[Any] = Change(None, record)
        assert kind.comparison is not None
        making = kind.comparison.phrase(change, difference)
        missing = [one for one in making if not any(calls.make(one) for calls in made)]
        if missing and all(_is_taken(one, difference) for one in missing):
            changes.append(change)
    return changes


def _is_taken(operation: object, difference: Difference) -> bool:
    """Tell whether an operation takes what is there for what it would make."""
    assert isinstance(operation, Operation)
    assert difference.server is not None
    try:
        operation.pending(difference.server)
    except DifferentObject:
        return False
    return True


@dataclass
class _Calls:
    """The calls of operations in a revision's file.

    Attributes:
        written: The arguments of those that are written out, by the operation.
        others: The operations that are called with anything else, as in a loop.
        words: Every text in the file, of which such a call may be made.
    """

    written: dict[str, set[Arguments]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    @classmethod
    def in_file(cls, path: Path, operations: Mapping[str, type[Operation]]) -> _Calls:
        """Read a revision's file.

        Args:
            path: The file.
            operations: Those that are looked for, by name.
        """
        calls = cls()
        text = path.read_text(encoding="utf-8")
        if not any(name in text for name in operations):
            return calls
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                calls.words.add(node.value)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in operations
            ):
                calls._add(node, operations[node.func.attr])
        return calls

    def _add(self, node: ast.Call, operation: type[Operation]) -> None:
        name = operation.operation_name
        positional = [one.name for one in dataclasses.fields(operation) if not one.kw_only]
        given = dict(zip(positional, node.args, strict=False))
        given |= {one.arg: one.value for one in node.keywords if one.arg in positional}
        values = [given.get(one) for one in positional]
        if all(isinstance(one, ast.Constant) for one in values):
            written = tuple(one.value for one in values if isinstance(one, ast.Constant))
            self.written.setdefault(name, set()).add(written)
        else:
            self.others.add(name)

    def make(self, operation: object) -> bool:
        """Tell whether one of them makes what an operation would make."""
        assert isinstance(operation, Operation)
        name, arguments = operation.operation_name, tuple(operation.call()[0])
        if arguments in self.written.get(name, ()):
            return True
        return name in self.others and self.words.issuperset(map(str, arguments))
