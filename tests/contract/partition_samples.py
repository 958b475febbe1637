"""Samples of partitions and of inheritance that models declare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
)

from pgmigrations.migrate.core.quoting import qualified
from tests.contract import hurting_names
from tests.contract.contract import Sample


def partitioned(
    *statements: str, name: str = "visit", schema: str | None = None, columns: Sequence[str] = ()
) -> MetaData:
    """A partitioned table with an index, and what its events do to it."""
    metadata = MetaData()
    table = Table(
        name,
        metadata,
        Column("id", Integer, autoincrement=False),
        Column("kind", Text),
        *(Column(one, Integer) for one in columns),
        PrimaryKeyConstraint("id", "kind"),
        CheckConstraint("id > 0", name="positive"),
        schema=schema,
        postgresql_partition_by="RANGE (id)",
    )
    Index("ix_visit_kind", table.c.kind)
    # Alembic's DDL() would take % in a name for a parameter.
    place = qualified(schema, name).replace("%", "%%")
    for statement in statements:
        sql = statement.replace("visit", place, 1) if name != "visit" else statement
        event.listen(table, "after_create", DDL(sql))  # type: ignore[no-untyped-call]
    return metadata


HURTING = 'it\'s "a" %s :visits'
_ONE = "CREATE TABLE one PARTITION OF visit FOR VALUES FROM (1) TO (10)"
_WIDER = "CREATE TABLE one PARTITION OF visit FOR VALUES FROM (1) TO (20)"
_NEXT = "CREATE TABLE two PARTITION OF visit FOR VALUES FROM (20) TO (30)"
_NARROW = "CREATE TABLE two PARTITION OF visit FOR VALUES FROM (10) TO (30)"
_REST = "CREATE TABLE rest PARTITION OF visit DEFAULT"
_WITHIN = (
    "CREATE TABLE three PARTITION OF visit FOR VALUES FROM (50) TO (60) PARTITION BY LIST (kind)"
)
_WITHIN_A = "CREATE TABLE three_a PARTITION OF three FOR VALUES IN ('a', 'it''s')"

PAIRS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "the first partitions": ((), (_ONE, _NEXT, _REST)),
    "another partition": ((_ONE,), (_ONE, _NEXT)),
    "one partition less": ((_ONE, _NEXT, _REST), (_ONE, _REST)),
    "other bounds": ((_ONE, _NARROW), (_WIDER, _NEXT)),
    "partitions of a partition": ((_ONE,), (_ONE, _WITHIN, _WITHIN_A)),
}

PARTITION_SAMPLES = (
    *(
        Sample("table", name, partial(partitioned, *after), partial(partitioned, *before))
        for name, (before, after) in PAIRS.items()
    ),
    Sample("table", "a new table with partitions", partial(partitioned, _ONE, _REST)),
    Sample(
        "table",
        "a partitioned table that goes",
        MetaData,
        partial(partitioned, _ONE, _WITHIN, _WITHIN_A),
    ),
    Sample(
        "table",
        "a partitioned table with another column",
        partial(partitioned, _ONE, _REST, columns=["more"]),
        partial(partitioned, _ONE, _REST),
    ),
    Sample(
        "table",
        "partitions of a table whose name hurts",
        partial(partitioned, _ONE, _NEXT, name=HURTING, schema=hurting_names.SCHEMA),
        partial(partitioned, _ONE, name=HURTING, schema=hurting_names.SCHEMA),
        setup=hurting_names.SETUP,
    ),
)
