"""Which enums the models declare, and how a difference is phrased."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ARRAY, Column, Enum, Integer, MetaData, String, Table
from sqlalchemy.types import TypeDecorator

from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.snapshot import Change, Scope
from pgmigrations.migrate.objects.enum.catalog import EnumRecord
from pgmigrations.migrate.objects.enum.declared import (
    ConflictingEnum,
    UnnamedEnum,
    declared,
    phrase,
)

SCOPE = Scope("public", frozenset({"public"}))
DIFFERENCE = Difference(SCOPE, {}, {}, [])


class Mood(TypeDecorator[Any]):
    impl = Enum("low", "high", name="mood")
    cache_ok = True


class Moods(TypeDecorator[Any]):
    impl = ARRAY(Enum("low", "high", name="mood"))
    cache_ok = True


def models(*types: Any) -> MetaData:
    metadata = MetaData()
    columns = [Column(f"c{number}", type_) for number, type_ in enumerate(types)]
    Table("t", metadata, Column("id", Integer), *columns)
    return metadata


@pytest.mark.parametrize(
    "type_",
    [
        Enum("low", "high", name="mood"),
        ARRAY(Enum("low", "high", name="mood")),
        ARRAY(Enum("low", "high", name="mood"), dimensions=2),
        Moods(),
        ARRAY(Mood()),
        String().with_variant(Enum("low", "high", name="mood"), "postgresql"),
        Enum("low", "high", name="mood").with_variant(String(), "sqlite"),
    ],
    ids=repr,
)
def test_an_enum_is_found_wherever_it_hides(type_: Any) -> None:
    assert list(declared([models(type_)], SCOPE, {}, {})) == [
        EnumRecord("public", "mood", ("low", "high"))
    ]


def test_an_enum_of_the_metadata_needs_no_column() -> None:
    metadata = MetaData()
    Enum("a", name="alone", metadata=metadata, schema="other")
    assert list(declared([metadata], SCOPE, {}, {})) == [EnumRecord("other", "alone", ("a",))]


def test_what_is_no_enum_to_postgresql_is_none() -> None:
    metadata = models(
        Enum("a", name="n", native_enum=False),
        Enum("a", name="v").with_variant(String(), "postgresql"),
    )
    assert list(declared([metadata], SCOPE, {}, {})) == []


def test_the_same_enum_in_many_places_is_one() -> None:
    metadata = models(Enum("a", "b", name="e"), ARRAY(Enum("a", "b", name="e")))
    other = models(Enum("a", "b", name="e", schema="public"))
    assert len(list(declared([metadata, other], SCOPE, {}, {}))) == 1


def test_two_enums_of_one_name_are_refused_with_both_places() -> None:
    with pytest.raises(ConflictingEnum, match=r"mood .* in t\.c0 and in t\.c1"):
        list(declared([models(Enum("a", name="mood"), Enum("b", name="mood"))], SCOPE, {}, {}))


def test_an_enum_without_a_name_is_refused_with_its_column() -> None:
    with pytest.raises(UnnamedEnum, match=r"t\.c0"):
        list(declared([models(Enum("a", "b"))], SCOPE, {}, {}))


def phrased(before: str | None, after: str | None) -> list[tuple[Any, ...]]:
    def record(labels: str | None) -> EnumRecord | None:
        return None if labels is None else EnumRecord("public", "e", tuple(labels))

    change = Change(record(before), record(after))
    return [operation.to_diff_tuple() for operation in phrase(change, DIFFERENCE)]


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        (None, "ab", [("create_enum", "e", ["a", "b"])]),
        ("ab", None, [("drop_enum", "e")]),
        ("", "a", [("add_enum_value", "e", "a")]),
        ("ab", "xab", [("add_enum_value", "e", "x", {"before": "a"})]),
        ("ab", "axb", [("add_enum_value", "e", "x", {"after": "a"})]),
        ("ab", "abx", [("add_enum_value", "e", "x")]),
        (
            "ab",
            "xaybz",
            [
                ("add_enum_value", "e", "x", {"before": "a"}),
                ("add_enum_value", "e", "y", {"after": "a"}),
                ("add_enum_value", "e", "z"),
            ],
        ),
        ("abc", "ac", [("replace_enum", "e", ["a", "b", "c"], ["a", "c"])]),
        ("ab", "ba", [("replace_enum", "e", ["a", "b"], ["b", "a"])]),
        ("ab", "", [("replace_enum", "e", ["a", "b"], [])]),
    ],
)
def test_a_difference_is_phrased(
    before: str | None, after: str | None, operations: list[tuple[Any, ...]]
) -> None:
    assert phrased(before, after) == operations


@pytest.mark.parametrize(("before", "after"), [("abc", "xac"), ("abc", "cxa"), ("ab", "xy")])
def test_labels_that_come_and_go_are_added_first_and_removed_last(before: str, after: str) -> None:
    *added, replaced = phrased(before, after)
    assert {operation[0] for operation in added} == {"add_enum_value"}
    assert {operation[2] for operation in added} == set(after) - set(before)
    assert replaced[0] == "replace_enum"
    assert set(replaced[2]) == set(before) | set(after)
    assert replaced[3] == list(after)
