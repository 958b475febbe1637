"""A fingerprint must change with everything that changes the SQL of the models' creation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN, JSONB, TSVECTOR, ExcludeConstraint
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import UserDefinedType

from pgmigrations.migrate.core.declared import creation
from pgmigrations.migrate.core.fingerprint import Fingerprint, fingerprint
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.kinds import KINDS

SCOPE = Scope("public", frozenset({"public"}))


class Wrapped(TypeDecorator[str]):
    impl = String
    cache_ok = True


class Shape(UserDefinedType[str]):
    cache_ok = True

    def __init__(self, sort: str = "box") -> None:
        self.sort = sort

    def get_col_spec(self, **_: Any) -> str:
        return self.sort


def models() -> MetaData:
    """Everything that SQLAlchemy has a word for."""
    metadata = MetaData(
        naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_label)s"}
    )
    mood = Enum("sad", "happy", name="mood", metadata=metadata)
    counter = Sequence("counter", start=5, metadata=metadata)
    Table(
        "other",
        metadata,
        Column("id", BigInteger, Identity(start=3), primary_key=True),
        Column("code", String(10), unique=True),
        Column("small", SmallInteger, index=True),
        schema="elsewhere",
    )
    Table(
        "item",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("number", Integer, counter, server_default=counter.next_value()),
        Column(
            "other_id", ForeignKey("elsewhere.other.id", ondelete="CASCADE", onupdate="SET NULL")
        ),
        Column("mood", mood, nullable=False, server_default="sad", comment="How it is"),
        Column("moods", ARRAY(mood)),
        Column("state", Enum("on", "off", name="state")),
        Column("price", Numeric(10, 2), server_default=text("1 + 1")),
        Column("doubled", Numeric, Computed("price * 2", persisted=True)),
        Column("made_at", DateTime(timezone=True), server_default=func.now()),
        Column("data", JSONB, server_default="{}"),
        Column("plain", JSON),
        Column("words", TSVECTOR),
        Column("wrapped", Wrapped(20)),
        Column("shape", Shape()),
        Column("percent", DOMAIN("percent", Integer, check="VALUE < 100")),
        Column("name", Text(collation="C"), CheckConstraint("name <> ''", name="named")),
        Column("is_on", Boolean, server_default=func.coalesce(None, True)),
        CheckConstraint("price > 0", name="positive"),
        UniqueConstraint("name", "price", name="un", postgresql_nulls_not_distinct=True),
        ExcludeConstraint(("price", "="), name="ex", using="btree"),
        Index("ix", "name", postgresql_where=text("is_on"), postgresql_include=["price"]),
        Index("ix_lower", func.lower(Column("name", Text)), postgresql_using="btree"),
        comment="Items",
        postgresql_with={"fillfactor": 70},
    )
    return metadata


def compiled(metadata: MetaData) -> list[str]:
    return sorted(creation([metadata], KINDS, SCOPE))


def taken(metadata: MetaData) -> Fingerprint:
    return fingerprint([metadata], "public", lambda: compiled(metadata))


def surely(metadata: MetaData) -> Fingerprint:
    """Take a fingerprint for which nothing as a whole has been compiled."""

    def refuse() -> list[str]:
        raise AssertionError("not sure")

    return fingerprint([metadata], "public", refuse)


def parts(metadata: MetaData) -> Iterator[Any]:
    """Yield every object of the models, in the same order each time."""
    for table in metadata.tables.values():
        yield table
        for column in table.columns:
            yield from (column, column.type)
            yield from filter(None, (column.server_default, column.computed, column.identity))
            if isinstance(column.type, ARRAY):
                yield column.type.item_type
        for constraint in sorted(table.constraints, key=lambda one: one._creation_order):
            yield constraint
            yield getattr(constraint, "sqltext", None)
            yield from getattr(constraint, "elements", ())
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield index
            yield index.dialect_options["postgresql"].get("where")
    yield from metadata._sequences.values()
    yield metadata


def other_values(value: object) -> list[object]:
    """Return what an attribute might be instead."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, int):
        return [value + 1, None]
    if isinstance(value, str):
        return [value + "x", quoted_name(value, quote=True), None]
    if isinstance(value, list):
        return [value[1:], [*value, "x"]]
    return [None, True, False, 7, "x", text("7")] if value is None else [None]


@pytest.mark.thorough
def test_no_attribute_changes_the_sql_and_not_the_fingerprint() -> None:
    """Each attribute of each object, one at a time, is given other values."""
    first, before = taken(models()), compiled(models())
    count, silent = 0, []
    for number, part in enumerate(parts(models())):
        for name in list(vars(part)) if part is not None and hasattr(part, "__dict__") else ():
            for value in other_values(vars(part)[name]):
                metadata = models()
                changed = list(parts(metadata))[number]
                changed.__dict__[name] = value
                try:
                    found = taken(metadata)
                except Exception:
                    continue
                try:
                    is_other = compiled(metadata) != before
                except Exception:
                    # SQLAlchemy cannot make SQL of it; then nothing is remembered.
                    continue
                count += is_other
                if is_other and found == first:
                    silent.append((type(part).__name__, name, value))
    assert silent == []
    assert count > 100


def listener(sql: str) -> DDL:
    return DDL(sql)  # type: ignore[no-untyped-call]


def item(metadata: MetaData) -> Table:
    return metadata.tables["item"]


CHANGES: dict[str, Callable[[MetaData], object]] = {
    "a column more": lambda m: item(m).append_column(Column("more", Integer)),
    "a check more": lambda m: item(m).append_constraint(CheckConstraint("id > 0", name="c")),
    "an index more": lambda m: Index("more", item(m).c.price),
    "a table more": lambda m: Table("more", m, Column("id", Integer)),
    "a table less": lambda m: m.remove(m.tables["elsewhere.other"]),
    "a sequence more": lambda m: Sequence("more", metadata=m),
    "an enum more": lambda m: Enum("a", name="more", metadata=m),
    "another unknown type": lambda m: setattr(item(m).c.shape.type, "sort", "point"),
    "an option of a table": lambda m: (
        item(m).dialect_options["postgresql"].__setitem__("with", {"fillfactor": 60})
    ),
    "the place that an index looks at": lambda m: (
        indexes(m)["ix"].dialect_options["postgresql"].__setitem__("where", text("NOT is_on"))
    ),
    "the order of labels": lambda m: setattr(item(m).c.mood.type, "enums", ["happy", "sad"]),
    "a variant": lambda m: setattr(
        item(m).c.price, "type", Numeric(10, 2).with_variant(Integer(), "postgresql")
    ),
    "a sequence of a column": lambda m: setattr(item(m).c.id, "default", Sequence("own")),
    "a statement of a listener": lambda m: event.listen(
        item(m), "after_create", listener("CREATE INDEX by_hand ON item (id)")
    ),
    "a statement of the metadata": lambda m: event.listen(
        m, "before_create", listener("CREATE SCHEMA elsewhere")
    ),
    "a statement of an index": lambda m: event.listen(
        indexes(m)["ix"], "after_create", listener("ANALYZE item")
    ),
    "the other side of a foreign key": lambda m: m.tables["elsewhere.other"].c.id.__dict__.update(
        name="key"
    ),
    "a condition": lambda m: indexes(m)["ix"].ddl_if(dialect="mysql"),
}


def indexes(metadata: MetaData) -> dict[str, Index]:
    return {str(index.name): index for index in item(metadata).indexes}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_the_fingerprint(change: str) -> None:
    metadata = models()
    before = taken(models())
    assert taken(metadata) == before
    CHANGES[change](metadata)
    assert compiled(metadata) != compiled(models())
    assert taken(metadata) != before


def test_only_the_changed_table_has_another_digest() -> None:
    metadata = models()
    before = surely(models())
    item(metadata).c.price.comment = "In euros"
    after = surely(metadata)
    assert after.rest == before.rest
    assert {key for key in before.tables if before.tables[key] != after.tables[key]} == {
        ("public", "item")
    }


def test_most_models_need_no_compiling_as_a_whole() -> None:
    assert len(surely(models()).tables) == 2


def test_compiling_leaves_the_fingerprint_as_it_was() -> None:
    metadata = models()
    before = surely(metadata)
    compiled(metadata)
    assert surely(metadata) == before


def test_every_process_finds_the_same() -> None:
    script = (
        "from tests.migrate.core.test_fingerprint import models, surely\n"
        "print(surely(models()).digest)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert found == {f"{surely(models()).digest}\n"}


def test_a_hook_of_the_compiler_counts() -> None:
    """`@compiles` is for good, so it happens in another process."""
    script = """
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from tests.migrate.core.test_fingerprint import models, taken

before = taken(models())

@compiles(CreateColumn, "postgresql")
def other(element, compiler, **kw):
    return compiler.visit_create_column(element, **kw) + " CHECK (true)"

assert taken(models()) != before
"""
    subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": ":".join(sys.path)}, check=True
    )
