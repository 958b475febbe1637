"""What `schema_dump` calls equal and what it does not, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from tests.support.dump import normalized, schema_dump

HOSTILE_TABLE = (
    'CREATE TABLE "a ""quoted"", (table" ('
    '"comma, (name" integer DEFAULT 1, '
    "\"new\nline\" text DEFAULT 'it''s; (\n\n-- no comment, \\ \"', "
    '"CONSTRAINT x" text DEFAULT $$SET it = 1;$$, '
    "array_of_text text[] DEFAULT ARRAY['a,b', 'c)'], "
    'CONSTRAINT "check, it" CHECK ("comma, (name" IN (1, 2)))'
)


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool, execution_options={"no_parameters": True})
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def dump_of(url: str, *statements: str) -> str:
    """Dump what the statements make of an emptied database."""
    execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *statements)
    return schema_dump(url)


def test_an_empty_database_dumps_to_nothing(database_url: str) -> None:
    assert schema_dump(database_url) == ""


def test_the_order_of_columns_does_not_matter(database_url: str) -> None:
    comments = [
        "COMMENT ON COLUMN t.a IS 'first'",
        "COMMENT ON COLUMN t.b IS 'second; (not last'",
        "ALTER TABLE t ALTER COLUMN b SET STATISTICS 7",
        "ALTER TABLE t ALTER COLUMN a SET STATISTICS 9",
    ]
    columns = ["a serial CHECK (a > 0)", "b varchar(9) DEFAULT 'x, y'", "c bigserial"]
    one = dump_of(database_url, f"CREATE TABLE t ({', '.join(columns)})", *comments)
    other = dump_of(database_url, f"CREATE TABLE t ({', '.join(columns[::-1])})", *comments)
    assert one == other
    assert "DEFAULT 'x, y'::character varying" in one
    assert "CHECK ((a > 0))" in one
    assert "SET STATISTICS 7" in one


def test_the_order_of_creation_does_not_matter(database_url: str) -> None:
    statements = [
        "CREATE TYPE mood AS ENUM ('low', 'high')",
        "CREATE TABLE b (id integer PRIMARY KEY, n integer UNIQUE)",
        "CREATE TABLE a (id integer PRIMARY KEY, mood text)",
        "CREATE VIEW v AS SELECT 1 AS one",
        "CREATE INDEX b_index ON a (mood DESC)",
        "CREATE INDEX a_index ON b (n) WHERE n > 0",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    ]
    keys = [
        "ALTER TABLE a ADD CONSTRAINT z FOREIGN KEY (id) REFERENCES b",
        "ALTER TABLE b ADD CONSTRAINT y FOREIGN KEY (id) REFERENCES a",
    ]
    one = dump_of(database_url, *statements, *keys)
    tables_first = [*statements[1:3], statements[0], *statements[3:]]
    other = dump_of(database_url, *tables_first[1::-1], *tables_first[:1:-1], *keys[::-1])
    assert one == other
    assert len(one.split(";\n")) > len(statements) + len(keys)


@pytest.mark.parametrize(
    "changed",
    [
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT 2",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint",
        "ALTER TABLE t ALTER COLUMN b SET DEFAULT 'x'",
        "ALTER TABLE t RENAME COLUMN a TO c",
        "ALTER TABLE t RENAME CONSTRAINT positive TO more_than_nothing",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)",
        "COMMENT ON COLUMN t.a IS 'other'",
        "CREATE INDEX ON t (a)",
    ],
)
def test_a_change_makes_another_dump(database_url: str, changed: str) -> None:
    table = (
        "CREATE TABLE t (a int DEFAULT 1 CONSTRAINT positive CHECK (a > 0), b text DEFAULT ' x')"
    )
    before = dump_of(database_url, table)
    assert before == dump_of(database_url, table)
    assert before != dump_of(database_url, table, changed)


def test_names_and_defaults_with_quotes_commas_and_newlines_survive(database_url: str) -> None:
    execute(database_url, HOSTILE_TABLE)
    dump = schema_dump(database_url)
    table = dump[dump.index("CREATE TABLE") :]
    expected = (
        'CREATE TABLE public."a ""quoted"", (table" (\n'
        "    \"CONSTRAINT x\" text DEFAULT 'SET it = 1;'::text,\n"
        '    "comma, (name" integer DEFAULT 1,\n'
        "    \"new\nline\" text DEFAULT 'it''s; (\n\n-- no comment, \\ \"'::text,\n"
        "    array_of_text text[] DEFAULT ARRAY['a,b'::text, 'c)'::text],\n"
        '    CONSTRAINT "check, it" CHECK (("comma, (name" = ANY (ARRAY[1, 2])))\n'
        ");\n"
    )
    assert table == expected


def test_a_dump_builds_the_same_schema_again(database_url: str) -> None:
    comment = r"""COMMENT ON TABLE "a ""quoted"", (table" IS E'100 %; \\ ''\''"""
    first = dump_of(database_url, HOSTILE_TABLE, comment)
    execute(database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", first)
    assert schema_dump(database_url) == first


def test_excluded_tables_are_left_out(database_url: str) -> None:
    execute(database_url, "CREATE TABLE kept (a integer)", "CREATE TABLE gone (id serial)")
    dump = schema_dump(database_url, exclude_tables=["gone*"])
    assert "kept" in dump
    assert "gone" not in dump


def test_what_one_run_of_pg_dump_differs_in_from_the_next_is_left_out() -> None:
    dump = "-- Dumped from database version 18.6\n\\restrict {}\nSET row_security = off;\n\n"
    table = "CREATE TABLE t (\n    a text DEFAULT '\n\\restrict x\n--\n'\n);\n\n\\unrestrict {}\n"
    assert normalized((dump + table).replace("{}", "kF")) == table[: table.index("\n\n\\un")] + "\n"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ("pg_attver=3", ""),
        ("n_distinct=5, pg_attver=3", "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5);\n"),
    ],
)
def test_the_column_option_of_newer_minor_releases_is_left_out(options: str, left: str) -> None:
    assert normalized(f"ALTER TABLE ONLY t ALTER COLUMN a SET ({options});\n") == left


def test_a_default_that_only_looks_like_that_option_is_kept() -> None:
    statement = (
        "ALTER TABLE ONLY t ALTER COLUMN a SET DEFAULT f('x', 'pg_attver=3', pg_attver=3);\n"
    )
    assert normalized(statement) == statement


def test_a_pg_dump_that_fails_says_why_without_the_password(database_url: str) -> None:
    url = make_url(database_url).set(database="no_such_database", password="s3cret")
    with pytest.raises(RuntimeError, match="no_such_database") as failure:
        schema_dump(url.render_as_string(hide_password=False))
    assert "s3cret" not in str(failure.value)


def test_the_program_can_be_chosen(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        schema_dump(database_url, pg_dump=tmp_path / "pg_dump")
