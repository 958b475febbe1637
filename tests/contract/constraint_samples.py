"""Samples of the kind "constraint": a pair of states for every property."""

from __future__ import annotations

from functools import partial

from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from tests.contract.contract import Sample


def table(
    metadata: MetaData,
    name: str,
    *more: Constraint | Column[int] | Column[str],
    nullable: bool = True,
) -> Table:
    """A table of three numbers and a text, without a key."""
    columns = [
        Column(one, Integer, nullable=nullable, autoincrement=False) for one in ("a", "b", "c")
    ]
    return Table(name, metadata, *columns, Column("word", String(20)), *more)


def checks(*, changed: bool) -> MetaData:
    metadata = MetaData()
    pairs: dict[str, tuple[Constraint | None, Constraint | None]] = {
        "reworded": (CheckConstraint("a > 0", name="k"), CheckConstraint("a >= 0", name="k")),
        "one_of": (
            CheckConstraint("a IN (1, 2)", name="k"),
            CheckConstraint("word IN ('x', 'y', 'z')", name="k"),
        ),
        "alike": (
            CheckConstraint("word = 'x' OR word = '%s'", name="k"),
            CheckConstraint("word IN ('x', '%s')", name="k"),
        ),
        "not_inherited": (
            CheckConstraint("b > 0", name="k"),
            CheckConstraint("b > 0 AND true", name="k"),
        ),
        "added": (None, CheckConstraint("word <> '\\:x %s ''$pgm$'' \\'", name="k")),
        "dropped": (CheckConstraint("a < b", name='it\'s "k" %s'), None),
        "unnamed": (CheckConstraint("a < b"), CheckConstraint("a <= b")),
    }
    for name, pair in pairs.items():
        found = pair[changed]
        table(metadata, name, *([] if found is None else [found]))
    return metadata


def foreign_keys(*, changed: bool) -> MetaData:
    metadata = MetaData()
    table(metadata, "target", UniqueConstraint("a"), UniqueConstraint("b"))
    options: dict[str, dict[str, str | bool]] = {
        "on_delete": {"ondelete": "CASCADE"},
        "on_update": {"onupdate": "SET DEFAULT"},
        "matching": {"match": "FULL"},
        "deferrable": {"deferrable": True},
        "deferred": {"deferrable": True, "initially": "DEFERRED"},
    }
    for name, option in options.items():
        kept = option if changed else {}
        key = ForeignKeyConstraint(["a"], ["target.a"], name="fk", **kept)  # type: ignore[arg-type]
        table(metadata, name, key)
    other = ["target.b"] if changed else ["target.a"]
    table(metadata, "columns", ForeignKeyConstraint(["b"], other, name="fk"))
    some = [ForeignKeyConstraint(["c"], ["target.a"])]
    table(metadata, "added", *(some if changed else []))
    table(metadata, "dropped", *([] if changed else some))
    return metadata


def uniques(*, changed: bool) -> MetaData:
    metadata = MetaData()
    for name, option in {
        "including": {"postgresql_include": ["word"]},
        "deferrable": {"deferrable": True},
        "deferred": {"deferrable": True, "initially": "DEFERRED"},
    }.items():
        kept = option if changed else {}
        table(metadata, name, UniqueConstraint("a", "b", name=f"{name}_k", **kept))  # type: ignore[arg-type]
    columns = ["b", "a"] if changed else ["a", "b"]
    table(metadata, "columns", UniqueConstraint(*columns, name="columns_k"))
    table(metadata, "added", *([UniqueConstraint("a")] if changed else []))
    table(metadata, "dropped", *([] if changed else [UniqueConstraint("a")]))
    sort = (
        CheckConstraint("a > 0", name="sort_k") if changed else UniqueConstraint("a", name="sort_k")
    )
    table(metadata, "sort", sort)
    return metadata


def primary_keys(*, changed: bool) -> MetaData:
    """Keys that others refer to: changed below references that stay, change, come and go."""
    metadata = MetaData()
    columns = [Column(one, Integer, nullable=False, autoincrement=False) for one in ("a", "b")]
    key = ["a", "b"] if changed else ["a"]
    Table("page", metadata, *columns, PrimaryKeyConstraint(*key), *_uniques("a", changed=changed))
    table(metadata, "stays", ForeignKeyConstraint(["a"], ["page.a"], ondelete="CASCADE"))
    referred = ["page.a", "page.b"] if changed else ["page.a"]
    table(metadata, "changes", ForeignKeyConstraint(key, referred, name="changes_fk"))
    some = ForeignKeyConstraint(key, referred)
    table(metadata, "comes", *([some] if changed else []))
    table(metadata, "goes", *([] if changed else [some]))
    if changed:
        table(metadata, "newcomer", ForeignKeyConstraint(["a", "b"], referred))
    filled = partial(table, metadata, nullable=False)
    filled("added", *([PrimaryKeyConstraint("a")] if changed else []))
    filled("dropped", *([] if changed else [PrimaryKeyConstraint("a", "b")]))
    filled("moved", PrimaryKeyConstraint("b" if changed else "a", name="moved_pkey"))
    filled("renamed", PrimaryKeyConstraint("a", name="new" if changed else "old"))
    table(metadata, "child", ForeignKeyConstraint(["b"], ["renamed.a"]))
    return metadata


def _uniques(column: str, *, changed: bool) -> list[Constraint]:
    return [UniqueConstraint(column)] if changed else []


def exclusions(*, changed: bool) -> MetaData:
    metadata = MetaData()
    variants: dict[str, tuple[Constraint | None, Constraint | None]] = {
        "condition": (_exclusion("condition"), _exclusion("condition", where="word IN ('a', 'b')")),
        "deferrable": (_exclusion("deferrable"), _exclusion("deferrable", deferrable=True)),
        "operator": (
            _exclusion("operator"),
            ExcludeConstraint(("b", "="), name="operator_x", using="btree"),
        ),
        "added": (None, _exclusion("added")),
        "dropped": (_exclusion("dropped", where="a > 5"), None),
    }
    for name, pair in variants.items():
        found = pair[changed]
        table(metadata, name, *([] if found is None else [found]))
    return metadata


def _exclusion(name: str, **options: str | bool) -> Constraint:
    return ExcludeConstraint(("a", "="), name=f"{name}_x", using="btree", **options)


def comments(*, changed: bool) -> MetaData:
    metadata = MetaData()
    text = 'It\'s :x %s "so"' if changed else None
    table(metadata, "commented", CheckConstraint("a > 0", name="k", comment=text))
    again = CheckConstraint("a > 1" if changed else "a > 0", name="k", comment=text)
    table(metadata, "reworded", again)
    added = UniqueConstraint("a", name="added_k", comment=text)
    table(metadata, "added", *([added] if changed else []))
    return metadata


def columns(*, changed: bool) -> MetaData:
    """Constraints on columns that come and go."""
    metadata = MetaData()
    come = [Column("d", Integer)] if changed else []
    both = CheckConstraint("d > a" if changed else "a > 0", name="both")
    comes: list[Constraint] = [
        CheckConstraint("d > 1", name="positive"),
        UniqueConstraint("d", name="comes_once"),
        ForeignKeyConstraint(["d"], ["parent.a"], name="comes_fk"),
    ]
    table(metadata, "comes", *come, *(comes if changed else []), both)
    go = [] if changed else [Column("d", Integer)]
    table(
        metadata,
        "goes",
        *go,
        *(
            []
            if changed
            else [
                CheckConstraint("d > 1", name="positive"),
                UniqueConstraint("d", name="goes_once"),
                ForeignKeyConstraint(["d"], ["parent.a"], name="goes_fk"),
            ]
        ),
    )
    table(metadata, "parent", UniqueConstraint("a"))
    return metadata


def whole_tables(*, changed: bool) -> MetaData:
    """Keys that come with tables that refer to them, and go with them."""
    metadata = MetaData()
    Table(
        "kept",
        metadata,
        Column("a", Integer),
        Column("b", Integer),
        *[UniqueConstraint("a" if changed else "b")],
    )
    if changed:
        Table("new", metadata, Column("a", Integer), ForeignKeyConstraint(["a"], ["kept.a"]))
    else:
        Table("old", metadata, Column("a", Integer), ForeignKeyConstraint(["a"], ["kept.b"]))
    return metadata


CONSTRAINT_SAMPLES = tuple(
    Sample("constraint", name, partial(build, changed=True), partial(build, changed=False))
    for name, build in {
        "checks changed": checks,
        "foreign keys changed": foreign_keys,
        "unique constraints changed": uniques,
        "primary keys changed, with what refers to them": primary_keys,
        "exclusion constraints changed": exclusions,
        "comments": comments,
        "on columns that come and go": columns,
        "referred to by tables that come and go": whole_tables,
    }.items()
)
