"""Types in revisions: PostgreSQL gets the same, and nobody's application is imported."""

from __future__ import annotations

import enum
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, Vector
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from pgmigrations.migrate.core.alembic_private import render_type
from pgmigrations.migrate.core.types import sql_of
from tests.support.project import Project


class Mood(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Money(TypeDecorator[Any]):
    impl = sa.Numeric(12, 2)
    cache_ok = True


class Wrapped(TypeDecorator[Any]):
    impl = Money
    cache_ok = True


class Moods(TypeDecorator[Any]):
    impl = postgresql.ARRAY(sa.Enum(Mood, name="mood"))
    cache_ok = True


class Embedding(TypeDecorator[Any]):
    impl = Vector(3)
    cache_ok = True


class ByDialect(TypeDecorator[Any]):
    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.CITEXT())
        return dialect.type_descriptor(sa.String(100))


class Short(sa.String):
    def __init__(self) -> None:
        super().__init__(7)


class Price(sa.Numeric[Any]):
    def __init__(self, currency: str) -> None:
        super().__init__(9, 3)
        self.currency = currency


class Kinds(sa.Enum):
    pass


class Geometry(UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, shape: object) -> None:
        self.shape = shape

    def get_col_spec(self, **kw: Any) -> str:
        return "geometry(POLYGON,4326)"

    def __repr__(self) -> str:
        return f"<{self.shape}>"


TYPES = [
    sa.Integer(),
    sa.Text(),
    sa.String(40),
    sa.String(40, collation="C"),
    sa.Numeric(10, 2),
    sa.Float(53),
    sa.Double(),
    sa.Boolean(),
    sa.Boolean(create_constraint=True, name="yes_or_no"),
    sa.LargeBinary(),
    sa.Uuid(),
    sa.Uuid(as_uuid=False),
    sa.Date(),
    sa.DateTime(timezone=True),
    sa.Time(timezone=True),
    sa.Interval(),
    sa.Interval(second_precision=3),
    sa.PickleType(),
    sa.JSON(none_as_null=True),
    sa.Enum(Mood, name="mood"),
    sa.Enum("a", "b", name="it's", schema='say "hi"'),
    sa.Enum("a", "b", name="n", native_enum=False),
    sa.Enum("a", "b%s", name="n", native_enum=False, create_constraint=True),
    sa.Enum(Mood, native_enum=False, length=40),
    sa.ARRAY(sa.Integer),
    sa.ARRAY(sa.Enum(Mood, name="mood"), dimensions=2),
    sa.String(9).with_variant(sa.Text(), "postgresql"),
    sa.String(9).with_variant(sa.Text(), "sqlite"),
    postgresql.ARRAY(postgresql.ENUM(Mood, name="mood")),
    postgresql.ARRAY(sa.String(5), dimensions=1),
    postgresql.BIT(3),
    postgresql.CIDR(),
    postgresql.CITEXT(),
    postgresql.DOMAIN("positive", sa.Integer, check="VALUE > 0"),
    postgresql.HSTORE(),
    postgresql.INT4RANGE(),
    postgresql.INTERVAL(fields="DAY TO SECOND"),
    postgresql.INTERVAL(precision=3),
    postgresql.JSONB(astext_type=sa.Text()),
    postgresql.TIMESTAMP(timezone=True, precision=3),
    postgresql.TSVECTOR(),
    postgresql.UUID(as_uuid=True),
    Vector(3),
    HALFVEC(3),
    SPARSEVEC(3),
    BIT(3),
    postgresql.ARRAY(Vector(3)),
    Money(),
    Wrapped(),
    Moods(),
    Embedding(),
    ByDialect(),
    Short(),
    Price("EUR"),
    Kinds("a", "b", name="kinds"),
    Kinds("a", "b", name="kinds", native_enum=False),
    Geometry(Mood),
    postgresql.ARRAY(Geometry(Mood)),
    postgresql.ARRAY(Money),
    sa.String(3).with_variant(Money(), "postgresql"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("render") / "project", "postgresql:///none")


@pytest.mark.parametrize("type_", TYPES, ids=repr)
def test_a_rendered_type_is_the_same_to_postgresql(
    type_: TypeEngine[Any], project: Project
) -> None:
    context = project.autogenerate_context()
    rendered = render_type(type_, context)
    assert sql_of(eval(rendered, _namespace(context.imports))) == sql_of(type_)
    assert __name__ not in rendered
    assert not any(__name__ in line for line in context.imports)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (sa.Enum(Mood, name="mood"), "postgresql.ENUM(name='mood', create_type=False)"),
        (Money(), "sa.Numeric(precision=12, scale=2)"),
        (Short(), "sa.String(length=7)"),
        (Geometry(Mood), "op.sql_type('geometry(POLYGON,4326)')"),
        (sa.Interval(), "sa.Interval()"),
        (postgresql.ARRAY(HALFVEC(3)), "postgresql.ARRAY(pgvector.sqlalchemy.HALFVEC(3))"),
    ],
)
def test_a_type_is_rendered_as_a_person_would_write_it(
    type_: TypeEngine[Any], text: str, project: Project
) -> None:
    rendered = render_type(type_, project.autogenerate_context()).replace("dim=", "")
    assert rendered == text


def _namespace(imports: set[str]) -> dict[str, Any]:
    """What a revision has: `sa`, `op`, and what it imports."""
    namespace: dict[str, Any] = {"sa": sa, "op": importlib.import_module("pgmigrations.op")}
    for line in imports:
        exec(line, namespace)
    return namespace


def test_a_revision_does_not_import_the_application(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "the_application.py").write_text(
        "import sqlalchemy as sa\n"
        "class Short(sa.types.TypeDecorator):\n    impl = sa.String(7)\n    cache_ok = True\n"
        "class Code(sa.String):\n    pass\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        project = Project(tmp_path / "project", database_url).models(
            "import sqlalchemy as sa\nfrom the_application import Code, Short\n"
            "metadata = sa.MetaData()\n"
            "sa.Table('t', metadata, sa.Column('a', Short()), sa.Column('b', Code(3)))\n"
        )
        revision = project.autogenerate()
        assert revision is not None
        project.upgrade()
        assert project.autogenerate() is None
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("the_application", None)
    assert "the_application" not in revision.read_text()
