"""The connection that the models are created through: one to a database that holds nothing.

What SQLAlchemy and the listeners of the models would run is collected, not run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.inspection import _inspects


class EmptyDatabase(MockConnection):
    """A connection that only collects.

    A listener that looks whether something is there, by `sqlalchemy.inspect(connection)`, is told
    that nothing is.
    """


class EmptyInspector:
    """Answers as an inspector of a database without any object."""

    def __init__(self, connection: EmptyDatabase) -> None:
        self.bind = connection
        self.dialect = connection.dialect

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("has_"):
            return lambda *_, **__: False
        if name.startswith("get_"):
            return lambda *_, **__: []
        raise AttributeError(name)


_inspects(EmptyDatabase)(EmptyInspector)
