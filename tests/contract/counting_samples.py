"""Samples of columns that count: SERIAL, identity and plain, one into another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
)

from tests.contract.contract import Sample

HURTING = 'it\'s %s "counted" :x'

COUNTING: dict[str, Callable[[], Column[int]]] = {
    "serial": lambda: Column("id", Integer, primary_key=True),
    "bigserial": lambda: Column("id", BigInteger, primary_key=True),
    "smallserial": lambda: Column("id", SmallInteger, primary_key=True),
    "identity": lambda: Column("id", Integer, Identity(), primary_key=True),
    "identity always": lambda: Column("id", BigInteger, Identity(always=True), primary_key=True),
    "plain": lambda: Column("id", Integer, primary_key=True, autoincrement=False),
    "sequence": lambda: Column(
        "id",
        Integer,
        Sequence("numbers"),
        primary_key=True,
        server_default=Sequence("numbers").next_value(),
    ),
}


def counting(how: str) -> MetaData:
    """A table that counts, one that refers to it, and one whose names hurt."""
    metadata = MetaData()
    Table("counted", metadata, COUNTING[how](), Column("note", Text))
    Table(HURTING, metadata, COUNTING[how]() if how != "sequence" else Column("id", Integer))
    Table("other", metadata, Column("one", Integer), ForeignKeyConstraint(["one"], ["counted.id"]))
    return metadata


PAIRS = (
    ("serial", "identity"),
    ("serial", "identity always"),
    ("serial", "plain"),
    ("serial", "bigserial"),
    ("smallserial", "identity"),
    ("identity", "plain"),
    ("identity", "identity always"),
    ("sequence", "identity"),
    ("sequence", "serial"),
)

COUNTING_SAMPLES = tuple(
    Sample(
        "sequence",
        f"{before} to {after}",
        partial(counting, after),
        partial(counting, before),
        rewrites=True,
    )
    for one, other in PAIRS
    for before, after in ((one, other), (other, one))
)
