"""What a step has shown, as it goes from an application's process to the table of results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """One step or one edit; `reason` is empty where it held."""

    step: str
    reason: str = ""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether it held."""
        return not self.reason


class Failed(Exception):
    """Something does not hold; the text says what."""


class Outcomes:
    """Collects outcomes in a file, one a line, so that a process that dies has told the most."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, outcome: Outcome) -> None:
        """Write one down."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    @contextmanager
    def step(self, name: str, note: str = "") -> Iterator[None]:
        """Write down whether the block holds."""
        try:
            yield
        except Exception as error:
            self.add(Outcome(name, f"{type(error).__name__}: {error}"[:4000] or "?", note))
            raise
        self.add(Outcome(name, note=note))

    def read(self) -> list[Outcome]:
        """Return what was written."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return [Outcome(**json.loads(line)) for line in lines]
