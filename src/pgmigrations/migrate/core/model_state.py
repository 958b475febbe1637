"""The state that models lead to, remembered or made, and a database to print their parts in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, MetaData

from pgmigrations.migrate.core.affected import affected, only_printed, place_of, put_together
from pgmigrations.migrate.core.declared import (
    ModelsRefused,
    Part,
    Place,
    created_by_kinds,
    creation,
    declared_database,
    declared_names,
)
from pgmigrations.migrate.core.fingerprint import Fingerprint, digest, fingerprint
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.name_length import refuse_long_names
from pgmigrations.migrate.core.remembered import Remembered
from pgmigrations.migrate.core.snapshot import Record, Scope
from pgmigrations.migrate.core.state import State, read_states
from pgmigrations.settings import Settings


class ModelState:
    """What a server makes of models.

    A scratch database is there only from when it is needed, and gone when this is left.

    Args:
        kinds: The list of `pgmigrations.migrate.kinds`.
        target: The connected database; it is only read.
        metadatas: The models.
        scope: What is looked at.
        settings: Where the models are created.
        remembered: What earlier comparisons have found.
    """

    def __init__(
        self,
        kinds: Sequence[AnyKind],
        target: Connection,
        metadatas: Sequence[MetaData],
        scope: Scope,
        settings: Settings,
        remembered: Remembered,
    ) -> None:
        self._kinds = kinds
        self._target = target
        self._metadatas = metadatas
        self._scope = scope
        self._settings = settings
        self._remembered = remembered
        self._open = ExitStack()
        self._scratch: Connection | None = None
        self._part: Part | None = None
        self._expected: frozenset[Place] = frozenset()
        self._prints = self._fingerprint()

    def __enter__(self) -> Self:
        self._open.callback(self._remembered.close)
        self.state = self._remembered.declared(self._prints) or self._made()
        return self

    def __exit__(
        self,
        type_: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.__exit__(type_, error, traceback)

    def expect(self, records: Iterable[Record]) -> None:
        """Say what `prints_alike` may be asked about, so that one database does for all."""
        self._expected = frozenset(map(place_of, records)) & set(self._prints.tables)

    def prints_alike(
        self, reprinted: Callable[[Connection, Any], Any], old: Record, new: Record
    ) -> bool:
        """Tell whether two forms of a definition are the same, printed once more.

        Args:
            reprinted: Of the kind's comparison.
            old: The one form.
            new: The other, that of the models.
        """
        table = self._prints.tables.get(place_of(new), self._prints.digest)
        key = digest([table, new.kind, old, new])
        known = self._remembered.judgement(key)
        if known is None:
            scratch = self._database()
            known = bool(reprinted(scratch, old) == reprinted(scratch, new))
            self._remembered.judge(key, is_same=known)
        return known

    def _fingerprint(self) -> Fingerprint:
        prints = fingerprint(
            self._metadatas,
            self._scope.default_schema,
            self._compiled,
        )
        by_kinds = list(created_by_kinds(self._metadatas, self._kinds, self._scope))
        return Fingerprint(prints.tables, digest([prints.rest, by_kinds]))

    def _compiled(self) -> list[str]:
        refuse_long_names(self._metadatas)
        return list(creation(self._metadatas, self._kinds, self._scope))

    def _made(self) -> State:
        # What is remembered has been looked at then.
        refuse_long_names(self._metadatas)
        state = self._updated()
        if state is None:
            self._close_database()
            state, _ = read_states(self._create(None), self._kinds, self._scope)
        self._remembered.keep(self._prints, state)
        return state

    def _updated(self) -> State | None:
        """Make only what has changed since the last comparison; None where that is not sure."""
        last = self._remembered.latest()
        part = affected(last, self._prints, self._metadatas, self._scope) if last else None
        if last is None or part is None:
            return None
        try:
            made, _ = read_states(self._create(part), self._kinds, self._scope)
        except ModelsRefused:
            # It may need a table that is not there; all of them together will tell.
            return None
        declared = declared_names(self._metadatas, self._scope)
        return put_together(last, made, part, self._prints, declared)

    def _database(self) -> Connection:
        """Return a scratch database that has the expected tables, or all."""
        if self._scratch is not None and (
            self._part is None or self._expected <= self._part.whole | self._part.supporting
        ):
            return self._scratch
        self._close_database()
        return self._create(only_printed(self._expected) if self._prints.tables else None)

    def _create(self, part: Part | None) -> Connection:
        self._part = part
        self._scratch = self._open.enter_context(
            declared_database(
                self._target,
                self._metadatas,
                self._kinds,
                self._scope,
                self._settings.scratch_url,
                part,
            )
        )
        return self._scratch

    def _close_database(self) -> None:
        self._scratch = None
        self._open.close()
        self._open.callback(self._remembered.close)
