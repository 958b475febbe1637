"""Operations that can be called by their names before their room is imported.

A run mostly meets few of them, and importing all rooms takes a fifth of the time of a short one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from threading import RLock
from typing import Any

from alembic.operations import Operations
from alembic.operations import ops as alembic_ops
from alembic.operations.ops import MigrateOperation

from pgmigrations.migrate.core import alembic_private, impl

__all__ = ["Deferred", "Room", "impl"]

_Implementation = Callable[[Operations, Any], Any]


@dataclass(frozen=True)
class Room:
    """What is known of a kind before its room is imported.

    Attributes:
        module: The room, which has the kind as `KIND`.
        operations: The names of its own operations.
        implementations: The classes of Alembic's operations whose implementation it wraps.
    """

    module: str
    operations: tuple[str, ...] = ()
    implementations: tuple[str, ...] = ()


class Deferred:
    """A room that Alembic knows, and that is imported when one of its operations is called.

    Args:
        room: One whose kind is not registered yet.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._originals: dict[type[MigrateOperation], _Implementation] = {}
        self._lock = RLock()
        self._is_loaded = False
        for name in room.operations:
            Operations.register_operation(name, "call")(_standing_in(name, self))
        for name in room.implementations:
            self._wrap(getattr(alembic_ops, name))

    def load(self) -> None:
        """Put the room's own in the place of what stands in for it."""
        from pgmigrations.migrate.core.registration import register

        with self._lock:
            if self._is_loaded:
                return
            self._is_loaded = True
            for class_, original in self._originals.items():
                Operations.implementation_for(class_, replace=True)(original)
            register([import_module(self._room.module).KIND])

    def _wrap(self, class_: type[MigrateOperation]) -> None:
        self._originals[class_] = alembic_private.implementation_of(class_)

        def run(operations: Operations, operation: Any) -> Any:
            self.load()
            return alembic_private.implementation_of(class_)(operations, operation)

        Operations.implementation_for(class_, replace=True)(run)


def _standing_in(name: str, deferred: Deferred) -> type[MigrateOperation]:
    class StandIn(MigrateOperation):
        @classmethod
        def call(cls, operations: Operations, *arguments: Any, **keywords: Any) -> Any:
            """Import the operation, and call it."""
            deferred.load()
            return getattr(operations, name)(*arguments, **keywords)

    return StandIn
