"""A session in a scratch database leaves alone what all databases of the server share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, text
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.guarded_session import (
    SharedObject,
    first_words,
    read_state,
)
from pgmigrations.migrate.core.scratch import scratch_database

ROLE = "guarded_session_role"
TRIGGER = f"""
CREATE TABLE watched (id int);
CREATE FUNCTION made() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN CREATE ROLE {ROLE}; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION made();
INSERT INTO watched VALUES (1)"""
LIMITED = """
CREATE FUNCTION pg_temp.limited(name text) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 7', name); END $$"""


@pytest.fixture
def target(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield connection


def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    connection.commit()


def by_itself(connection: Connection, *statements: str) -> None:
    run(connection.execution_options(isolation_level="AUTOCOMMIT"), *statements)


def in_savepoint(connection: Connection, statement: str) -> None:
    with connection.begin_nested():
        connection.exec_driver_sql(statement)
    connection.commit()


def second_of_many(connection: Connection, target: str) -> None:
    by_itself(connection, LIMITED)
    limited = text("SELECT CASE WHEN :is_second THEN pg_temp.limited(:name) END")
    for_both = [{"is_second": is_second, "name": target} for is_second in (False, True)]
    connection.execute(limited, for_both)


def raw(connection: Connection, statement: str, *, autocommit: bool) -> None:
    if autocommit:
        connection.execution_options(isolation_level="AUTOCOMMIT")
    session: Any = connection.connection.dbapi_connection
    session.cursor().execute(statement)
    session.commit()


Work = Callable[[Connection, str], None]
SHARED: dict[str, Work] = {
    "role": lambda it, _: run(it, f"CREATE ROLE {ROLE}"),
    "role by itself": lambda it, _: by_itself(it, f"CREATE ROLE {ROLE}"),
    "role by a raw cursor": lambda it, _: raw(it, f"CREATE ROLE {ROLE}", autocommit=False),
    "role by a raw one by itself": lambda it, _: raw(it, f"CREATE ROLE {ROLE}", autocommit=True),
    "role by a deferred trigger": lambda it, _: run(it, TRIGGER),
    "role, then COMMIT": lambda it, _: run(it, f"CREATE ROLE {ROLE}", "; -- now\rCOMMIT"),
    "role in a transaction by hand": lambda it, _: by_itself(
        it, "BEGIN", f"CREATE ROLE {ROLE}", "/* a /* b */ */ END"
    ),
    "privilege on the target": lambda it, name: run(
        it, f'GRANT TEMPORARY ON DATABASE "{name}" TO pg_monitor'
    ),
    "target in a savepoint": lambda it, name: in_savepoint(
        it, f'ALTER DATABASE "{name}" CONNECTION LIMIT 7'
    ),
    "setting of the target": lambda it, name: by_itself(
        it, f"ALTER DATABASE \"{name}\" SET work_mem TO '5MB'"
    ),
    "comment on the target": lambda it, name: run(it, f"COMMENT ON DATABASE \"{name}\" IS 'x'"),
    "second of many": second_of_many,
    "replication origin": lambda it, name: run(
        it, f"SELECT pg_replication_origin_create('{name}')"
    ),
    "database": lambda it, name: by_itself(it, f'; CREATE DATABASE "{name}_more"'),
    "setting of the server": lambda it, _: by_itself(it, "ALTER SYSTEM SET work_mem TO '5MB'"),
}
WRITTEN = """
SELECT rolname FROM pg_roles WHERE rolname = 'guarded_session_role'
UNION ALL SELECT setting FROM pg_file_settings WHERE name = 'work_mem'
UNION ALL SELECT roname FROM pg_replication_origin WHERE roname = current_database()
UNION ALL SELECT datname FROM pg_database WHERE datname = current_database() || '_more'
UNION ALL SELECT datacl::text || datconnlimit || coalesce(s.setconfig::text, '')
  || coalesce(shobj_description(d.oid, 'pg_database'), '')
  FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid
  WHERE datname = current_database() AND (datacl IS NOT NULL OR datconnlimit <> -1
    OR s.setconfig IS NOT NULL OR shobj_description(d.oid, 'pg_database') IS NOT NULL)"""


@pytest.mark.parametrize("work", SHARED.values(), ids=SHARED)
def test_what_databases_share_is_not_committed(target: Connection, work: Work) -> None:
    database = str(target.execute(text("SELECT current_database()")).scalar_one())
    with scratch_database(target) as scratch:
        with pytest.raises(SharedObject, match="which the server has for all databases"):
            work(scratch, database)
        scratch.rollback()
    assert target.exec_driver_sql(WRITTEN).all() == []


def test_what_another_session_changes_meanwhile_is_its_own_affair(target: Connection) -> None:
    role = f"{ROLE}_of_another"
    with scratch_database(target) as scratch:
        scratch.exec_driver_sql("CREATE TABLE one ()")
        try:
            run(target, f"CREATE ROLE {role}")
            scratch.commit()
        finally:
            run(target, f"DROP ROLE IF EXISTS {role}")


def test_what_another_session_never_ceases_to_change_is_its_own_affair(
    target: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [f"{ROLE}_{number}" for number in range(5)]
    coming = iter(roles)
    with scratch_database(target) as scratch:
        session: Any = scratch.connection.dbapi_connection
        outside = session.guard._outside

        def changed_before() -> Any:
            state = outside()
            for role in coming:
                run(target, f"CREATE ROLE {role}")
                break
            return state

        monkeypatch.setattr(session.guard, "_outside", changed_before)
        try:
            run(target, f"CREATE ROLE {ROLE}")
            run(scratch, "CREATE TABLE one ()")
            assert next(coming, None) is None
            with pytest.raises(SharedObject, match="changes a role"):
                run(scratch, f"CREATE ROLE {ROLE}_own")
        finally:
            run(target, *(f"DROP ROLE IF EXISTS {role}" for role in [ROLE, *roles]))


def sequence(it: Connection) -> None:
    by_itself(it, "CREATE TABLE one (id serial PRIMARY KEY)", "INSERT INTO one DEFAULT VALUES")
    assert it.exec_driver_sql("SELECT id FROM one").scalar_one() == 1


def bulk(it: Connection) -> None:
    alone = it.execution_options(isolation_level="AUTOCOMMIT")
    table = Table("one", MetaData(), Column("id", Integer))
    table.create(alone)
    alone.execute(table.insert(), [{"id": 1}, {"id": 2}])
    assert it.exec_driver_sql("SELECT sum(id) FROM one").scalar_one() == 3


BATCHES = """
DO $$ BEGIN
  FOR number IN 1..3 LOOP
    INSERT INTO one VALUES (number);
    COMMIT;
  END LOOP;
END $$"""
OWN = """
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET work_mem TO %L', current_database(), '5MB');
END $$"""
OTHERS: dict[str, Callable[[Connection], None]] = {
    "index": lambda it: by_itself(
        it, "CREATE TABLE one (id int)", "CREATE INDEX CONCURRENTLY ix ON one (id)", "VACUUM one"
    ),
    "sequence": sequence,
    "bulk": bulk,
    "batches": lambda it: by_itself(it, "CREATE TABLE one (id int)", BATCHES),
    "prepared": lambda it: by_itself(
        it, "PREPARE one AS SELECT 1", "EXECUTE one", "DEALLOCATE one"
    ),
    "held cursor": lambda it: by_itself(
        it, "DECLARE one CURSOR WITH HOLD FOR SELECT 1", "FETCH one", "CLOSE one"
    ),
    "own database": lambda it: by_itself(it, OWN),
    "after COMMIT": lambda it: run(it, "CREATE TABLE one ()", "COMMIT", "VACUUM one", "BEGIN"),
    "all of it": lambda it: by_itself(it, "DISCARD ALL"),
}


@pytest.mark.parametrize("work", OTHERS.values(), ids=OTHERS)
def test_what_is_in_the_database_alone_runs_as_it_would(
    target: Connection, work: Callable[[Connection], None]
) -> None:
    with scratch_database(target) as scratch:
        work(scratch)


@pytest.mark.parametrize("work", [by_itself, run])
def test_what_a_text_has_committed_itself_is_told(
    target: Connection, work: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    role = f"{ROLE}_committed"
    block = f"DO $$ BEGIN CREATE ROLE {role}; COMMIT; END $$"
    try:
        with scratch_database(target) as scratch:
            work(scratch, block if work is by_itself else f"CREATE ROLE {role}; COMMIT; SELECT 1")
        assert "a role" in caplog.text
        assert "has changed, which the server has for all databases" in caplog.text
    finally:
        run(target, f"DROP ROLE IF EXISTS {role}")


def test_the_password_of_a_role_is_shared_too(target: Connection) -> None:
    role = f"{ROLE}_known"
    try:
        run(target, f"CREATE ROLE {role}")
        with (
            scratch_database(target) as scratch,
            pytest.raises(SharedObject, match="changes a role"),
        ):
            run(scratch, f"ALTER ROLE {role} PASSWORD 'other'")
    finally:
        run(target, f"DROP ROLE IF EXISTS {role}")


def test_the_state_names_what_databases_share(target: Connection) -> None:
    state = read_state(lambda query: [tuple(row) for row in target.exec_driver_sql(query)])
    assert {"a role", "a membership", "a database", "a subscription"} <= set(state)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("; COMMIT", ["COMMIT"]),
        ("-- end\rCOMMIT", ["COMMIT"]),
        ("/* a /* b */ ; */ commit; select 1", ["COMMIT", "SELECT 1"]),
        ("select ';commit'; CREATE\n DATABASE x", ["SELECT ';COMMIT'", "CREATE DATABASE"]),
        ("do $a$ begin; commit; end $a$; vacuum", ["DO $A$ BEGIN; COMMIT; END $A$", "VACUUM"]),
        ("select e'\\';'; \"a;b\"", ["SELECT E'\\';'", '"A;B"']),
        ("/* it's */ select 1; /* \" */ commit", ["SELECT 1", "COMMIT"]),
        (
            "select name'a;'; select e, 'e' /* ; */ -- ;\n; commit",
            ["SELECT NAME", "SELECT E", "COMMIT"],
        ),
        ("-- only", []),
    ],
)
def test_how_each_statement_begins(sql: str, words: list[str]) -> None:
    assert [*first_words(sql, 2)] == words
