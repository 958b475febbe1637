"""What models use and hand-written revisions have made is in the scratch database, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM, ExcludeConstraint
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import UserDefinedType

from pgmigrations.migrate.core.borrowed import borrow
from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script

# Each object depends on others, some made before and changed afterwards, so that the order of the
# catalogs is not that of the dependencies.
BY_HAND = r"""
CREATE SCHEMA util;
CREATE COLLATION util.bytes (locale = 'C');
CREATE COLLATION bytes (lc_collate = 'C', lc_ctype = 'POSIX');
CREATE TYPE util.rgb AS (r int, g int, b int);
CREATE DOMAIN util.percent AS int;
COMMENT ON DOMAIN util.percent IS 'Of a hundred';
CREATE TYPE util.pair AS (low util.percent, high util.percent);
CREATE FUNCTION util.is_percent(int) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN $1 BETWEEN 0 AND 100;
ALTER DOMAIN util.percent ADD CONSTRAINT sane CHECK (util.is_percent(VALUE));
CREATE FUNCTION util.first(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN RETURN split_part($1, '%', 1); END $f$;
CREATE OR REPLACE FUNCTION util.first(text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN lower(split_part($1, '%', 1));
CREATE FUNCTION util.near(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN abs($1 - $2) < 10;
CREATE FUNCTION util.far(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN NOT util.near($1, $2);
CREATE OPERATOR util.~~~ (FUNCTION = util.near, LEFTARG = int, RIGHTARG = int,
  COMMUTATOR = OPERATOR(util.~~~), NEGATOR = OPERATOR(util.!~~~));
CREATE OPERATOR util.!~~~ (FUNCTION = util.far, LEFTARG = int, RIGHTARG = int,
  COMMUTATOR = OPERATOR(util.!~~~), NEGATOR = OPERATOR(util.~~~));
CREATE FUNCTION util.backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN $1 > $2 THEN -1 WHEN $1 < $2 THEN 1 ELSE 0 END;
CREATE OPERATOR CLASS util.backwards FOR TYPE int USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <,
  FUNCTION 1 util.backwards(int, int);
CREATE FUNCTION util.span(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN $1 - $2;
CREATE TYPE util.floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = util.span);
CREATE FUNCTION util.times(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN $1 * $2;
CREATE AGGREGATE util.product(float8) (SFUNC = util.times, STYPE = float8, INITCOND = '1');
CREATE FUNCTION util.all_times() RETURNS float8 LANGUAGE sql STABLE
  RETURN (SELECT util.product(x) FROM generate_series(1, 3) AS x);
CREATE FUNCTION util.as_rgb(int) RETURNS util.rgb LANGUAGE sql IMMUTABLE
  RETURN ROW($1, $1, $1)::util.rgb;
CREATE CAST (int AS util.rgb) WITH FUNCTION util.as_rgb(int) AS ASSIGNMENT;
CREATE TEXT SEARCH DICTIONARY util.plain (TEMPLATE = pg_catalog.simple, ACCEPT = 'false');
CREATE TEXT SEARCH CONFIGURATION util.words (PARSER = pg_catalog."default");
ALTER TEXT SEARCH CONFIGURATION util.words
  ADD MAPPING FOR asciiword, word WITH util.plain, pg_catalog.english_stem;
CREATE SEQUENCE util.tickets START 7 INCREMENT 3;
CREATE SEQUENCE numbers AS int MAXVALUE 999 CYCLE;
COMMENT ON SEQUENCE numbers IS 'Shared';
CREATE TABLE util.setting (name text PRIMARY KEY, value text);
CREATE FUNCTION util.setting(text) RETURNS text LANGUAGE sql STABLE
  AS 'SELECT value FROM util.setting WHERE name = $1';
"""


class Sql(UserDefinedType[str]):
    """A type by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """Return the name."""
        return self.name


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    return Project(tmp_path / "project", database_url)


USES: dict[str, Callable[[], SchemaItem]] = {
    "default": lambda: sa.Column("v", sa.Text, server_default=sa.text("util.first('a%b')")),
    "default by an aggregate": lambda: sa.Column(
        "v", sa.Float, server_default=sa.text("util.all_times()")
    ),
    "default by a table": lambda: sa.Column(
        "v", sa.Text, server_default=sa.text("util.setting('a')")
    ),
    "default by a sequence": lambda: sa.Column(
        "v", sa.BigInteger, server_default=sa.text("nextval('util.tickets')")
    ),
    "default by a sequence in scope": lambda: sa.Column(
        "v", sa.Integer, server_default=sa.text("nextval('numbers')")
    ),
    "check": lambda: sa.CheckConstraint("id OPERATOR(util.~~~) 5", name="c"),
    "check by a cast": lambda: sa.CheckConstraint("(id::util.rgb).r > 0", name="c"),
    "index": lambda: sa.Index("i", sa.text("util.first(note)"), sa.text("id util.backwards")),
    "index with a configuration": lambda: sa.Index(
        "i", sa.text("to_tsvector('util.words', note)"), postgresql_using="gin"
    ),
    "generated column": lambda: sa.Column(
        "v", sa.Text, sa.Computed("util.first(note)", persisted=True)
    ),
    "exclusion constraint": lambda: ExcludeConstraint(
        (sa.text("util.first(note)"), "="), name="x", using="btree"
    ),
    "domain": lambda: sa.Column("v", Sql("util.percent")),
    "composite type": lambda: sa.Column("v", Sql("util.pair")),
    "range type": lambda: sa.Column("v", Sql("util.floats")),
    "collation": lambda: sa.Column("v", Sql("text COLLATE util.bytes")),
    "collation in an index": lambda: sa.Index("i", sa.text("note COLLATE bytes")),
}


@pytest.mark.parametrize("use", USES)
def test_it_is_there_for_what_uses_it(use: str, project: Project) -> None:
    run_script(project.url, BY_HAND)
    before = schema_dump(project.url)
    metadata = sa.MetaData()
    columns: list[SchemaItem] = [
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note", sa.Text),
    ]
    sa.Table("one", metadata, *columns, USES[use]())
    revision = project.models(metadata).autogenerate()
    assert revision is not None
    assert schema_dump(project.url) == before
    project.upgrade()
    assert project.check()
    # In the models' schema; the other one is nobody's business here.
    is_dropped = "op.drop_sequence('numbers'" in revision.read_text()
    assert is_dropped == (use != "default by a sequence in scope")


def test_what_the_models_declare_themselves_is_not_borrowed(
    tmp_path: Path, database_url: str
) -> None:
    project = Project(tmp_path / "project", database_url, settings={"prove": "false"})
    metadata = sa.MetaData()
    counter = sa.Sequence("counter")
    word = DOMAIN("word", sa.Text, check="VALUE <> ''")
    sa.Table(
        "one",
        metadata,
        sa.Column("id", sa.BigInteger, counter, primary_key=True),
        sa.Column("v", word),
    )
    project.models(metadata).autogenerate()
    project.upgrade()
    assert project.check()


def test_a_sequence_stays_borrowed_while_another_table_changes(project: Project) -> None:
    run_script(project.url, "CREATE SEQUENCE numbers")

    def models(*more: SchemaItem) -> sa.MetaData:
        metadata = sa.MetaData()
        number = sa.Column("n", sa.Integer, server_default=sa.text("nextval('numbers')"))
        sa.Table("one", metadata, sa.Column("id", sa.Integer, primary_key=True), number)
        sa.Table("two", metadata, sa.Column("id", sa.Integer, primary_key=True), *more)
        return metadata

    project.models(models()).autogenerate()
    project.upgrade()
    assert project.check()
    revision = project.models(models(sa.Column("note", sa.Text))).autogenerate()
    assert revision is not None
    assert "numbers" not in revision.read_text()
    project.upgrade()
    assert project.check()


def test_a_function_on_a_table_of_the_models_waits_for_it(project: Project) -> None:
    """And a check of a later table for that."""
    metadata = sa.MetaData()
    sa.Table("one", metadata, sa.Column("id", sa.Integer, primary_key=True))
    project.models(metadata).autogenerate()
    project.upgrade()
    run_script(
        project.url,
        "CREATE FUNCTION size_of(one) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1.id;"
        "CREATE FUNCTION is_small(int) RETURNS boolean LANGUAGE sql IMMUTABLE"
        " RETURN size_of(ROW($1)::one) < 10",
    )
    check = sa.CheckConstraint("is_small(id)")
    sa.Table("two", metadata, sa.Column("id", sa.Integer, check, primary_key=True))
    assert project.models(metadata).autogenerate() is not None
    project.upgrade()
    assert project.check()


def test_all_of_it_is_copied_exactly(databases: Databases, database_url: str) -> None:
    """Whatever the schema: a dump of the copy is the dump of the original, but for its tables."""
    run_script(database_url, BY_HAND)
    with (
        databases.fresh() as copy_url,
        sa.create_engine(database_url, poolclass=NullPool).connect() as target,
        sa.create_engine(copy_url, poolclass=NullPool).begin() as copy,
    ):
        copy.exec_driver_sql(
            borrow(target, set()).making, execution_options={"no_parameters": True}
        )
        copy.commit()
        run_script(copy_url, "CREATE TABLE util.setting (name text PRIMARY KEY, value text)")
        assert schema_dump(copy_url) == schema_dump(database_url)


def test_a_collation_of_icu_is_copied_exactly(databases: Databases, database_url: str) -> None:
    # "unicode" is there without ICU, too.
    query = "SELECT count(*) FROM pg_collation WHERE collname = 'de-x-icu'"
    if not databases.connection.exec_driver_sql(query).scalar_one():
        pytest.skip("the server is built without ICU")
    run_script(
        database_url,
        "CREATE COLLATION numbered (provider = icu, locale = 'en-u-kn-true');"
        "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2',"
        " deterministic = false);"
        "CREATE DOMAIN word AS text COLLATE folded",
    )
    with (
        databases.fresh() as copy_url,
        sa.create_engine(database_url, poolclass=NullPool).connect() as target,
        sa.create_engine(copy_url, poolclass=NullPool).begin() as copy,
    ):
        copy.exec_driver_sql(
            borrow(target, set()).making, execution_options={"no_parameters": True}
        )
        copy.commit()
        assert schema_dump(copy_url) == schema_dump(database_url)


@pytest.mark.parametrize(
    ("made", "used", "passing"),
    [
        ("CREATE DOMAIN order_state AS text", "order_state", "order_states"),
        ("CREATE SCHEMA lib; CREATE TYPE lib.status AS ENUM ('a')", "lib.status", "status"),
        ("CREATE DOMAIN a AS text", "a", 'a"b'),
    ],
)
def test_what_has_another_name_than_a_new_table_stays_borrowed(
    made: str, used: str, passing: str, project: Project, database_url: str
) -> None:
    """The name passes from an enum to a table, and what is there of the enum's is in the way."""
    run_script(database_url, made)
    before, after = sa.MetaData(), sa.MetaData()
    enum = sa.Enum("a", "b", name=passing)
    sa.Table("t", before, sa.Column("used", Sql(used)), sa.Column("enum", enum))
    sa.Table("t", after, sa.Column("used", Sql(used)))
    sa.Table(passing, after, sa.Column("id", sa.Integer, primary_key=True))
    for metadata in (before, after):
        assert project.models(metadata).autogenerate() is not None
        project.upgrade()
        assert project.check()


def test_a_sequence_of_the_name_that_a_serial_column_gives_its_own_is_not_borrowed(
    project: Project, database_url: str
) -> None:
    before, after = sa.MetaData(), sa.MetaData()
    counter = sa.Sequence("t_id_seq", metadata=before)
    default = counter.next_value()
    sa.Table("t", before, sa.Column("id", sa.Integer, counter, server_default=default))
    sa.Table("t", after, sa.Column("id", sa.Integer, primary_key=True))
    assert project.models(before).autogenerate() is not None
    project.upgrade()
    run_script(database_url, "INSERT INTO t DEFAULT VALUES")
    assert project.models(after).autogenerate() is not None
    project.upgrade()
    assert project.check()
    run_script(database_url, "INSERT INTO t DEFAULT VALUES")
    assert "t_id_seq1" not in schema_dump(database_url)


def test_an_enum_that_the_models_only_name_is_borrowed(project: Project, database_url: str) -> None:
    metadata = sa.MetaData()
    named = ENUM("a", "b", name="mood", create_type=False)
    sa.Table("t", metadata, sa.Column("one", named), sa.Column("all", sa.ARRAY(named)))
    project.models(metadata)
    with pytest.raises(CommandError, match='type "mood" does not exist'):
        project.autogenerate()
    run_script(database_url, "CREATE TYPE mood AS ENUM ('a', 'b')")
    revision = project.autogenerate()
    assert revision is not None
    assert "create_enum" not in revision.read_text()
    project.upgrade()
    assert project.check()
