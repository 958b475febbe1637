"""The declared state and the server's judgements, as earlier comparisons have found them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgmigrations.migrate.core.cache import Cache
from pgmigrations.migrate.core.fingerprint import Fingerprint, digest
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.core.state import State

_FORMAT = 1
_MOST_JUDGEMENTS = 100_000
_SHORT = 20


@dataclass(frozen=True)
class Entry:
    """A declared state, and the models that it is of."""

    prints: Fingerprint
    state: State


class Remembered:
    """What is known of one environment.

    Args:
        cache: Where it is kept.
        environment: From `environment_key`; what is found under another one does not count.
        kinds: The list of `pgmigrations.migrate.kinds`.
        scope: What is looked at.
    """

    def __init__(
        self, cache: Cache, environment: str, kinds: Sequence[AnyKind], scope: Scope
    ) -> None:
        self._cache = cache
        self._environment = environment
        self._kinds = kinds
        self._scope = scope
        self._judgements: dict[str, bool] | None = None
        self._is_changed = False

    def declared(self, prints: Fingerprint) -> State | None:
        """Return the state that these models have led to."""
        entry = self._read(self._name(prints))
        return entry.state if entry is not None and entry.prints == prints else None

    def latest(self) -> Entry | None:
        """Return the state that was used last, of whatever models."""
        names = self._cache.names(f"{self._environment[:_SHORT]}-")
        return self._read(names[0]) if names else None

    def keep(self, prints: Fingerprint, state: State) -> None:
        """Keep what models have led to."""
        body = "\n".join(line for lines in state.lines.values() for line in lines).encode()
        counts = {name: len(lines) for name, lines in state.lines.items()}
        head = {
            "format": _FORMAT,
            "environment": self._environment,
            "rest": prints.rest,
            "tables": [[*key, value] for key, value in prints.tables.items()],
            "counts": counts,
            "content": digest([counts, digest(body)]),
        }
        self._cache.write(self._name(prints), json.dumps(head).encode() + b"\n" + body)

    def judgement(self, key: str) -> bool | None:
        """Return whether two printed forms were found to be the same; None where nobody asked."""
        return self._known().get(key)

    def judge(self, key: str, *, is_same: bool) -> None:
        """Remember a judgement."""
        known = self._known()
        known.pop(key, None)
        known[key] = is_same
        self._is_changed = True

    def close(self) -> None:
        """Keep the new judgements."""
        if self._judgements is not None and self._is_changed:
            kept = list(self._judgements.items())[-_MOST_JUDGEMENTS:]
            content = {"environment": self._environment, "judgements": kept}
            self._cache.write(self._judgements_name, json.dumps(content).encode())

    def _known(self) -> dict[str, bool]:
        if self._judgements is None:
            self._judgements = {}
            found = _loaded(self._cache.read(self._judgements_name) or b"")
            if found.get("environment") == self._environment:
                self._judgements = dict(found["judgements"])
        return self._judgements

    @property
    def _judgements_name(self) -> str:
        return f"judgements-{self._environment[:_SHORT]}"

    def _name(self, prints: Fingerprint) -> str:
        return f"{self._environment[:_SHORT]}-{prints.digest[:_SHORT]}"

    def _read(self, name: str) -> Entry | None:
        head_line, _, body = (self._cache.read(name) or b"").partition(b"\n")
        head = _loaded(head_line)
        if (
            head.get("format") != _FORMAT
            or head.get("environment") != self._environment
            or head.get("content") != digest([head.get("counts"), digest(body)])
        ):
            return None
        lines = body.decode().split("\n")
        state: dict[str, Sequence[str]] = {}
        for kind, count in head["counts"].items():
            state[kind], lines = lines[:count], lines[count:]
        tables = {(schema, table): value for schema, table, value in head["tables"]}
        return Entry(Fingerprint(tables, head["rest"]), State(self._kinds, self._scope, state))


def _loaded(content: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty one where it is none."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
