from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from pgmigrations.migrate.core.beside_tables import NotSure, beside_tables
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.core.state import State
from pgmigrations.migrate.kinds import KINDS

SCOPE = Scope("public", frozenset({"public"}))
TABLES = {("public", "a"), ("public", "b"), ("public", "c")}
A_AND_B = {("public", "a"), ("public", "b")}


def state(**rows: Sequence[str]) -> State:
    return State(KINDS, SCOPE, rows)


def extension(name: str, *users: str, elsewhere: bool = False, version: str = "1") -> str:
    places = [["public", user, ""] for user in users]
    return json.dumps([name, "public", version, True, True, places, elsewhere])


def domain(name: str, *users: str) -> str:
    places = [["public", user, ""] for user in users]
    values = ["integer", "", "", False, [], "", name]
    return json.dumps(["public", name, *values, places, False])


def put_together(last: State, made: State, declared: Sequence[str] = ()) -> dict[str, list[str]]:
    names = {("public", name) for name in declared}
    less, more = beside_tables(last, made, TABLES, A_AND_B, names)
    kept = {
        kind: [line for line in lines if line not in less.get(kind, ())]
        for kind, lines in last.lines.items()
    }
    return {kind: [*kept.get(kind, ()), *more.get(kind, ())] for kind in {*kept, *more}}


def test_what_is_used_the_same_way_stays_as_it_is() -> None:
    last = state(extension=[extension("cube", "a", "c")], domain=[domain("d", "c")])
    made = state(extension=[extension("cube", "a")])
    assert put_together(last, made) == last.lines


def test_what_made_tables_use_is_used_beside_what_the_others_do() -> None:
    last = state(extension=[extension("cube", "a", "c")], domain=[])
    made = state(extension=[extension("cube", "b"), extension("ltree", "b")])
    assert put_together(last, made)["extension"] == [
        extension("cube", "b", "c"),
        extension("ltree", "b"),
    ]


def test_what_only_the_renewed_tables_used_goes_with_all_that_only_it_used() -> None:
    last = state(
        extension=[extension("cube", "outer")],
        domain=[domain("inner", "outer"), domain("outer", "a", "b")],
    )
    assert put_together(last, state()) == {"extension": [], "domain": []}


def test_what_the_models_declare_themselves_stays() -> None:
    last = state(domain=[domain("d", "a")])
    assert put_together(last, state(), declared=["d"]) == {"domain": [domain("d")]}


@pytest.mark.parametrize(
    ("last", "made"),
    [
        (extension("cube", "c"), extension("cube", "c", version="2")),
        (extension("cube", "c"), extension("cube", "c", elsewhere=True)),
        (extension("cube"), None),
    ],
    ids=["another definition", "used by something that has no place", "used by nothing"],
)
def test_what_does_not_tell_by_which_tables_it_was_made_is_not_sure(
    last: str, made: str | None
) -> None:
    with pytest.raises(NotSure):
        put_together(state(extension=[last]), state(extension=[made] if made else []))


def test_every_kind_that_is_made_with_tables_is_read_with_what_uses_it() -> None:
    """Of a kind that the models say by themselves, nothing needs to be remembered."""
    of_tables = {"table", "column", "constraint", "index"}
    beside = {
        kind.name: kind.read.places_at
        for kind in KINDS
        if kind.name not in of_tables
        and kind.comparison is not None
        and (kind.comparison.declared is None or kind.comparison.offered is not None)
    }
    assert set(beside) >= {"domain", "extension", "sequence"}
    assert None not in beside.values()
