"""The samples: at least one of every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import CITEXT, INTERVAL, JSONB, TSVECTOR, ExcludeConstraint

from pgmigrations.declare import Extension, declare
from pgmigrations.migrate.core.quoting import identifier
from tests.contract import hurting_names
from tests.contract.access_samples import ACCESS_SAMPLES, THOROUGH_ACCESS_SAMPLES
from tests.contract.column_samples import COLUMN_SAMPLES
from tests.contract.constraint_samples import CONSTRAINT_SAMPLES
from tests.contract.contract import Sample
from tests.contract.counting_samples import COUNTING_SAMPLES
from tests.contract.domain_samples import DOMAIN_SAMPLES, THOROUGH_DOMAIN_SAMPLES
from tests.contract.index_samples import INDEX_SAMPLES
from tests.contract.inheritance_samples import INHERITANCE_SAMPLES
from tests.contract.partition_samples import PARTITION_SAMPLES
from tests.contract.rename_samples import RENAME_SAMPLES
from tests.contract.retyped_samples import RETYPED_SAMPLES
from tests.contract.retyping_samples import RETYPING_SAMPLES
from tests.contract.setting_samples import SETTING_SAMPLES

SCHEMA = hurting_names.SCHEMA


def enums(*labels: str, schema: str | None = None) -> MetaData:
    """One enum in a column with a default, in an array, in a check and in an index; one unused."""
    metadata = MetaData()
    mood = Enum(*labels, name="mood", schema=schema)
    table = Table(
        "diary",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("mood", mood, server_default="low", nullable=False),
        Column("moods", ARRAY(mood)),
        schema=schema,
    )
    Index("ix_low", table.c.id, postgresql_where=table.c.mood == text("'low'"))
    Table("other", metadata, Column("mood", mood), schema=schema)
    Enum("a", "b", name="unused", metadata=metadata, schema=schema)
    return metadata


def new_label_in_use() -> MetaData:
    """A new label that a new column's default and a new index already use."""
    metadata = enums("low", "middle", "high")
    table = metadata.tables["diary"]
    table.append_column(Column("next", table.c.mood.type, server_default="middle"))
    Index("ix_middle", table.c.id, postgresql_where=text("mood = 'middle'"))
    return metadata


def extensions(*names: str, schema: str | None = None) -> MetaData:
    metadata = MetaData()
    declare(metadata, *(Extension(name, schema=schema) for name in names))
    if schema:
        Table("here", metadata, Column("id", Integer), schema=schema)
    return metadata


def unspoken_extensions() -> MetaData:
    """A type in an array and an operator class whose extensions no declaration names."""
    metadata = MetaData()
    table = Table("tag", metadata, Column("names", ARRAY(CITEXT)), Column("text", Text))
    Index("ix_text", table.c.text, postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"})
    return metadata


def lonely_enum(schema: str) -> MetaData:
    metadata = MetaData()
    Enum("a", "b", name="lonely", metadata=metadata, schema=schema)
    return metadata


def vectors() -> MetaData:
    """A column that asks for its extension, and an index of an access method of its own."""
    from pgvector.sqlalchemy import HALFVEC, Vector

    metadata = MetaData()
    table = Table(
        "chunk",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("embedding", Vector(3)),
        Column("half", HALFVEC(3)),
    )
    Index(
        "ix_embedding",
        table.c.embedding,
        postgresql_using="hnsw",
        postgresql_with={"m": 8},
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    return metadata


def tables(schema: str | None = None) -> MetaData:
    metadata = MetaData()
    Table(
        "everything",
        metadata,
        Column("id", BigInteger, Identity(always=True, start=5), primary_key=True),
        Column("amount", Numeric(10, 2), nullable=False, server_default=text("0.00")),
        Column("twice", Numeric, Computed("amount * 2", persisted=True)),
        Column("name", String(40, collation="C"), comment="As people write it"),
        Column("made", DateTime(timezone=True), server_default=func.now()),
        Column("lasts", INTERVAL(fields="DAY TO SECOND")),
        Column("pause", Interval),
        Column("key", Uuid, server_default=text("gen_random_uuid()")),
        Column("data", JSONB, server_default=text("'{}'::jsonb")),
        Column("words", TSVECTOR),
        Column("tags", ARRAY(Text)),
        Column("active", Boolean, server_default=text("true")),
        comment="A bit of everything",
        schema=schema,
    )
    return metadata


def counting() -> MetaData:
    metadata = MetaData()
    Table("counted", metadata, Column("id", Integer, primary_key=True))
    Table("counted_small", metadata, Column("id", SmallInteger, primary_key=True))
    return metadata


def columns() -> MetaData:
    """`tables`, with a column more, one less, and others in another form."""
    metadata = tables()
    old = metadata.tables["everything"]
    kept = [column for column in old.columns if column.name not in ("words", "active")]
    metadata.remove(old)
    other = MetaData()
    Table(
        "everything",
        other,
        *(column._copy() for column in kept),
        Column(
            "active",
            Boolean,
            nullable=False,
            server_default=text("true"),
        ),
        Column("new", Enum("a", "b", native_enum=False, create_constraint=True, name="a_or_b")),
        comment="Another comment",
    )
    return other


def constraints(schema: str | None = None, *, bare: bool = False) -> MetaData:
    """Two tables that refer to each other, with every sort of constraint; or the bare tables."""
    metadata = MetaData()
    one = Table(
        "one",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("other", Integer),
        Column("number", Integer),
        schema=schema,
    )
    two = Table(
        "two",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("other", Integer),
        schema=schema,
    )
    if bare:
        return metadata
    one.append_constraint(
        ForeignKeyConstraint(
            [one.c.other], [two.c.id], name="one_to_two", ondelete="CASCADE", use_alter=True
        )
    )
    two.append_constraint(
        ForeignKeyConstraint(
            [two.c.other], [one.c.id], name="two_to_one", deferrable=True, initially="DEFERRED"
        )
    )
    one.append_constraint(UniqueConstraint(one.c.number, name="number_once", deferrable=True))
    two.append_constraint(UniqueConstraint(two.c.other, name="other_once"))
    return metadata


def all_constraints(schema: str | None = None) -> MetaData:
    metadata = constraints(schema)
    one = metadata.tables[f"{schema}.one" if schema else "one"]
    one.append_constraint(CheckConstraint(one.c.number > 0, name="positive"))
    one.append_constraint(ExcludeConstraint((one.c.number, "="), name="no_other", using="btree"))
    return metadata


def indexes(*, bare: bool = False) -> MetaData:
    metadata = MetaData()
    table = Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", Text),
        Column("number", Integer),
        Column("data", JSONB),
    )
    if not bare:
        Index("ix_number", table.c.number.desc().nulls_last(), table.c.title)
        Index("ix_title", table.c.title, unique=True, postgresql_where=table.c.number > 3)
        Index("ix_lower", func.lower(table.c.title))
        Index("ix_data", table.c.data, postgresql_using="gin")
        Index("ix_include", table.c.number, postgresql_include=["title"])
        Index("ix_with", table.c.id, postgresql_with={"fillfactor": 70})
    return metadata


HURTING: tuple[tuple[str, Callable[[str | None], MetaData]], ...] = (
    ("table", hurting_names.tables),
    ("enum", hurting_names.types_and_indexes),
    ("constraint", hurting_names.unique_constraints),
)
CREATE_SCHEMA = hurting_names.SETUP

SAMPLES = (
    *(
        Sample(kind, f"names that hurt, {where}", partial(build, schema), setup=CREATE_SCHEMA)
        for kind, build in HURTING
        for where, schema in (("public", None), ("another schema", SCHEMA))
    ),
    Sample(
        "extension",
        "two",
        partial(extensions, "pg_trgm", "citext"),
        by_hand=["CREATE EXTENSION pg_trgm", "CREATE EXTENSION citext"],
        extensions=["pg_trgm", "citext"],
    ),
    Sample(
        "extension",
        "in a schema whose name hurts",
        partial(extensions, "citext", schema=SCHEMA),
        setup=CREATE_SCHEMA,
        by_hand=[f"CREATE EXTENSION citext SCHEMA {identifier(SCHEMA)}"],
        extensions=["citext"],
    ),
    Sample(
        "extension",
        "asked for by a type",
        vectors,
        by_hand=["CREATE EXTENSION vector"],
        extensions=["vector"],
    ),
    Sample(
        "extension",
        "asked for by nobody",
        unspoken_extensions,
        by_hand=["CREATE EXTENSION pg_trgm", "CREATE EXTENSION citext"],
        extensions=["pg_trgm", "citext"],
    ),
    Sample(
        "schema",
        "of a table",
        partial(tables, SCHEMA),
        by_hand=[f"CREATE SCHEMA {identifier(SCHEMA)}"],
    ),
    Sample(
        "schema",
        "of an enum that no table uses",
        partial(lonely_enum, SCHEMA),
        by_hand=[f"CREATE SCHEMA {identifier(SCHEMA)}"],
    ),
    Sample("enum", "in columns, arrays and predicates", partial(enums, "low", "high")),
    Sample(
        "enum",
        "labels first, in the middle and last, in use at once",
        new_label_in_use,
        partial(enums, "low", "high"),
    ),
    Sample(
        "enum",
        "labels removed and reordered",
        partial(enums, "high", "low"),
        partial(enums, "low", "middle", "high"),
    ),
    Sample(
        "enum",
        "labels added and removed at once",
        partial(enums, "first", "low", "high"),
        partial(enums, "low", "middle", "high"),
    ),
    *ACCESS_SAMPLES,
    *DOMAIN_SAMPLES,
    Sample("table", "with columns of many types", tables),
    Sample("column", "changed, added and dropped", columns, tables, rewrites=True),
    Sample("sequence", "owned by the column that counts with it", counting),
    Sample("constraint", "in new tables", all_constraints),
    Sample(
        "constraint",
        "in new tables of another schema",
        partial(all_constraints, hurting_names.REFERRING_SCHEMA),
        setup=CREATE_SCHEMA,
    ),
    Sample("constraint", "on tables that are there", constraints, partial(constraints, bare=True)),
    Sample("index", "on a new table", indexes),
    Sample("index", "on a table that is there", indexes, partial(indexes, bare=True)),
)
"""What every run of the tests takes through the contract."""

THOROUGH_SAMPLES = (
    *THOROUGH_ACCESS_SAMPLES,
    *CONSTRAINT_SAMPLES,
    *INDEX_SAMPLES,
    *COLUMN_SAMPLES,
    *COUNTING_SAMPLES,
    *RETYPED_SAMPLES,
    *THOROUGH_DOMAIN_SAMPLES,
    *RENAME_SAMPLES,
    *RETYPING_SAMPLES,
    *SETTING_SAMPLES,
    *PARTITION_SAMPLES,
    *INHERITANCE_SAMPLES,
    *(
        Sample(
            kind,
            "names that hurt, dropped",
            MetaData,
            partial(build, None),
            setup=CREATE_SCHEMA,
        )
        for kind, build in HURTING
    ),
)
"""A pair for each property that can change, and names that hurt on their way out."""
