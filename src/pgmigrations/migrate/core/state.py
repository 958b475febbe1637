"""A state of a database as its catalogs print it, read in one statement, whatever its size.

What is equal in two states is compared as text and never becomes a record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, text

from pgmigrations.migrate.core.catalog import pinned
from pgmigrations.migrate.core.fingerprint import digest
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.snapshot import Identity, Record, Scope, Snapshot, snapshot


@dataclass(frozen=True)
class State:
    """What a database holds: for each kind a line of JSON for every row of its catalog.

    Attributes:
        kinds: The list of `pgmigrations.migrate.kinds`.
        scope: What was looked at.
        lines: The lines of each kind, by its name.
    """

    kinds: Sequence[AnyKind]
    scope: Scope
    lines: Mapping[str, Sequence[str]]

    def without(self, other: State, whole: Collection[str] = ()) -> State:
        """Return what the other state does not hold in exactly the same form.

        Args:
            other: The other state.
            whole: Names of kinds of which everything is returned.
        """
        left: dict[str, Sequence[str]] = {}
        for name, lines in self.lines.items():
            known = set(other.lines.get(name, ())) if name not in whole else ()
            left[name] = [line for line in lines if line not in known]
        return State(self.kinds, self.scope, left)

    def only(self, names: Collection[str]) -> State:
        """Return what it holds of the kinds of these names."""
        kept = {name: lines for name, lines in self.lines.items() if name in names}
        return State(self.kinds, self.scope, kept)

    def records(self) -> Iterator[Record]:
        """Make the records of all lines."""
        for kind in self.kinds:
            rows = json.loads(f"[{','.join(self.lines.get(kind.name, ()))}]")
            yield from kind.read.records(rows, self.scope)

    def snapshot(self) -> Snapshot[Record]:
        """Return the records under their identities; they are made when first asked for."""
        return LazySnapshot(lambda: snapshot(self.records()))


class LazySnapshot(Mapping[Identity, Any]):
    """A snapshot whose records are made when one of them is first asked for.

    Args:
        make: Makes the records.
    """

    def __init__(self, make: Callable[[], Snapshot[Any]]) -> None:
        self._make = make

    @cached_property
    def _records(self) -> Snapshot[Any]:
        return self._make()

    def __getitem__(self, identity: Identity) -> Any:
        return self._records[identity]

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, identity: object) -> bool:
        return identity in self._records


def read_states(
    connection: Connection,
    kinds: Sequence[AnyKind],
    scope: Scope,
    more: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    is_kept: bool = False,
) -> tuple[State, dict[str, str]]:
    """Read every kind in one statement, under the settings that both sides of a comparison have.

    Args:
        connection: Where to read; the transaction's settings are afterwards what they were.
        kinds: The list of `pgmigrations.migrate.kinds`.
        scope: What is looked at.
        more: Expressions of type text that are worked out in the same statement, by name.
        parameters: Parameters of those expressions.
        is_kept: Whether the session keeps the plan for the next time, as a prepared statement.

    Returns:
        The state, and the values of the expressions with the settings before.
    """
    statement = collecting(kinds, more)
    given = {**scope.parameters, **(parameters or {})}
    with pinned(connection) as before:
        if is_kept:
            rows = connection.exec_driver_sql(f"EXECUTE {_kept(connection, statement, given)}")
        else:
            rows = connection.execute(text(statement), given)
        found = {name: value or "" for name, value in rows.all()}
    lines = {kind.name: _split(found.pop(kind.name)) for kind in kinds}
    return State(kinds, scope, lines), {**before, **found}


def _kept(connection: Connection, statement: str, given: Mapping[str, Any]) -> str:
    """Return the name of the statement as the session has prepared it, now or before."""
    name = f"pgmigrations_{digest([statement, given])}"
    # Whatever runs there may have said DISCARD ALL.
    look = text("SELECT 1 FROM pg_prepared_statements WHERE name = :name")
    if connection.execute(look, {"name": name}).first() is None:
        connection.execute(text(f"PREPARE {name} AS {statement}"), given)
    return name


def collecting(kinds: Sequence[AnyKind], more: Mapping[str, str] | None = None) -> str:
    """Write the statement of `read_states`; its arguments are those."""
    parts = [_collected(kind) for kind in kinds]
    parts += [f"SELECT '{name}', ({expression})" for name, expression in (more or {}).items()]
    return "\nUNION ALL\n".join(parts)


def _collected(kind: AnyKind) -> str:
    """Write the kind's query so that it returns one value: its rows as lines of JSON."""
    columns = ", ".join(f"c{number}" for number in range(kind.read.width))
    # JSON has no line break within a value.
    return (
        f"SELECT '{kind.name}', (SELECT string_agg(json_build_array({columns})::text, chr(10))\n"
        f"FROM ({kind.read.statement}) AS q ({columns}))"
    )


def _split(lines: str) -> list[str]:
    # Not splitlines(), which also splits at characters that JSON leaves as they are.
    return lines.split("\n") if lines else []
