"""`op.replace_enum`: rows, labels, `replace=`, names, and running it again."""

from __future__ import annotations

import io
import subprocess
import threading
import time

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from pgmigrations.migrate.core.operation import DifferentObject, MissingObject
from pgmigrations.migrate.core.quoting import literal
from pgmigrations.migrate.objects.enum.replace import ReplaceEnum
from tests.migrate.objects.enum.dependants import DEPENDANTS
from tests.migrate.objects.enum.rebuilding import (
    NEW,
    OLD,
    TYPE,
    connection,
    execute,
    labels,
    replace,
    replace_on,
    rows,
    state,
)
from tests.support.dump import embedded_pg_dump

HURTING = ["it's", 'quo"te', "back\\slash", "100 % %s", "$$ $pgm$ $count$", ":x", "☃ ß", "ü" * 31]


def offline(operation: ReplaceEnum) -> str:
    """Write the operation as `alembic upgrade --sql` does."""
    buffer = io.StringIO()
    options = {"as_sql": True, "output_buffer": buffer, "literal_binds": True}
    context = MigrationContext.configure(
        dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, opts=options
    )
    Operations(context).invoke(operation)
    return buffer.getvalue()


def psql(url: str, script: str) -> subprocess.CompletedProcess[str]:
    address = make_url(url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    target = " ".join(f"{name}='{value}'" for name, value in arguments.items())
    command = [str(embedded_pg_dump().with_name("psql")), "-Xq", "--single-transaction"]
    return subprocess.run(
        [*command, "-v", "ON_ERROR_STOP=1", "-d", target, "-f", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )


def wait_until(url: str, query: str) -> None:
    deadline = time.monotonic() + 20
    while not rows(url, query):
        assert time.monotonic() < deadline, query
        time.sleep(0.02)


def test_replace_maps_rows_elements_and_defaults_all_at_the_same_time(database_url: str) -> None:
    execute(
        database_url,
        TYPE,
        "CREATE TABLE job (id int, a status DEFAULT 'broken', tags status[])",
        "CREATE TABLE other (a status DEFAULT 'done')",
        "INSERT INTO job VALUES (1, 'pending', '{{pending,done},{NULL,broken}}'),"
        " (2, 'done', '{}'), (3, 'broken', NULL), (4, NULL, '{broken}')",
    )
    swap = {"pending": "done", "done": "pending", "broken": "pending"}
    replace(database_url, OLD, NEW, swap)
    assert rows(database_url, "SELECT id, a::text, tags::text FROM job ORDER BY id") == [
        (1, "done", "{{done,pending},{NULL,pending}}"),
        (2, "pending", "{}"),
        (3, "pending", None),
        (4, None, "{pending}"),
    ]
    execute(database_url, "INSERT INTO job (id) VALUES (5)", "INSERT INTO other DEFAULT VALUES")
    assert rows(database_url, "SELECT a::text FROM job WHERE id = 5") == [("pending",)]
    assert rows(database_url, "SELECT a::text FROM other") == [("pending",)]


def test_replace_with_labels_that_stay_as_they_are_is_refused() -> None:
    with pytest.raises(ValueError, match="UPDATE"):
        ReplaceEnum("status", OLD, OLD, replace={"done": "pending"})
    with pytest.raises(ValueError, match="replace="):
        ReplaceEnum("status", OLD, NEW, replace={"done": "broken"})


def test_an_enum_becomes_empty_and_full_again(database_url: str) -> None:
    execute(database_url, TYPE, "CREATE TABLE job (a status, b status[])")
    execute(database_url, "INSERT INTO job VALUES (NULL, '{NULL}')")
    replace(database_url, OLD, [])
    assert labels(database_url) == []
    replace(database_url, [], OLD)
    assert labels(database_url) == list(OLD)
    assert rows(database_url, "SELECT a, b::text FROM job") == [(None, "{NULL}")]


@pytest.mark.parametrize("name", ['"', "%s", "it's", "\\", "$pgm$", "é ☃", "ß" * 31, "select"])
def test_names_and_labels_that_hurt(database_url: str, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    execute(
        database_url,
        f"CREATE SCHEMA {quoted}",
        f"CREATE TYPE {quoted}.{quoted} AS ENUM ({', '.join(map(literal, HURTING))})",
        f"CREATE TABLE {quoted}.job ({quoted} {quoted}.{quoted} DEFAULT {literal(HURTING[2])},"
        f" n int DEFAULT 1 CHECK ({quoted} <> {literal(HURTING[0])}))",
        f"INSERT INTO {quoted}.job VALUES ({literal(HURTING[4])}), ({literal(HURTING[1])})",
        f"INSERT INTO {quoted}.job DEFAULT VALUES",
    )
    before = state(database_url)
    backwards = HURTING[::-1]
    replace(database_url, HURTING, backwards, name=name, schema=name)
    assert state(database_url) == before
    fewer = [label for label in backwards if label != HURTING[1]]
    replace(database_url, backwards, fewer, {HURTING[1]: HURTING[2]}, name=name, schema=name)
    found = rows(database_url, f"SELECT {quoted}::text FROM {quoted}.job ORDER BY {quoted}")
    assert found == [(HURTING[4],), (HURTING[2],), (HURTING[2],)]


def test_the_type_of_the_schema_asked_for_is_changed_and_no_other(database_url: str) -> None:
    execute(
        database_url,
        TYPE,
        "CREATE SCHEMA aside",
        "CREATE TYPE aside.status AS ENUM ('pending', 'done', 'broken')",
        "CREATE TABLE job (a status DEFAULT 'done', b aside.status DEFAULT 'done' CHECK (b <>"
        " 'pending'))",
        "INSERT INTO job DEFAULT VALUES",
    )
    before = state(database_url)
    temporary = ["CREATE TYPE pg_temp.status AS ENUM ('pending', 'done', 'broken')"]
    replace(database_url, schema="aside", before=temporary)
    assert (labels(database_url), labels(database_url, schema="aside")) == ([*OLD], [*NEW])
    replace(database_url, before=[*temporary, "SET search_path = public, pg_temp, aside"])
    assert labels(database_url) == list(NEW)
    replace(database_url, NEW, OLD, schema="public", before=["SET search_path = aside"])
    replace(database_url, NEW, OLD, before=["SET search_path = aside"])
    assert state(database_url) == before


def test_the_search_path_is_as_before_for_what_follows(database_url: str) -> None:
    execute(database_url, TYPE, "CREATE TABLE job (a status DEFAULT 'done')")
    with connection(database_url) as connected:
        connected.exec_driver_sql("SET search_path = public, pg_catalog")
        replace_on(connected, ReplaceEnum("status", OLD, NEW))
        found = connected.exec_driver_sql("SHOW search_path").scalar_one()
    assert found == "public, pg_catalog"


def test_again_does_nothing_and_takes_no_lock(database_url: str) -> None:
    execute(database_url, TYPE, "CREATE TABLE job (a status)")
    replace(database_url)
    with connection(database_url) as connected:
        connected.exec_driver_sql("SET lock_timeout = '10s'")
        replace_on(connected, ReplaceEnum("status", OLD, NEW))
        block = ReplaceEnum("status", OLD, NEW).statements()[0]
        connected.exec_driver_sql(block)
        locks = connected.exec_driver_sql(
            "SELECT relation::regclass FROM pg_locks WHERE pid = pg_backend_pid()"
            " AND mode = 'AccessExclusiveLock' AND locktype = 'relation'"
        )
        assert locks.all() == []


def test_other_labels_are_an_error(database_url: str) -> None:
    execute(database_url, "CREATE TYPE status AS ENUM ('other')")
    with pytest.raises(DifferentObject, match="other"):
        replace(database_url)
    with pytest.raises(MissingObject, match="nothing"):
        replace(database_url, name="nothing")
    done = psql(database_url, offline(ReplaceEnum("status", OLD, NEW)))
    assert done.returncode != 0
    assert "{other}" in done.stderr
    done = psql(database_url, offline(ReplaceEnum("nothing", OLD, NEW)))
    assert "enum public.nothing does not exist" in done.stderr


@pytest.mark.parametrize(
    "case", ["foreign keys", "generated columns", "tables with names that hurt"]
)
def test_the_same_text_works_through_psql(database_url: str, case: str) -> None:
    execute(database_url, TYPE, *DEPENDANTS[case])
    before = state(database_url)
    script = offline(ReplaceEnum("status", OLD, NEW))
    for _ in range(2):
        done = psql(database_url, script)
        assert done.returncode == 0, done.stderr
        assert labels(database_url) == list(NEW)
    assert state(database_url) == before


def test_a_run_that_is_ended_in_the_middle_leaves_all_as_it_was(database_url: str) -> None:
    execute(
        database_url,
        "CREATE FUNCTION wait() RETURNS boolean LANGUAGE sql AS"
        " 'SELECT pg_advisory_lock_shared(1) IS NOT NULL'",
        TYPE,
        "CREATE TABLE job (a status DEFAULT 'done', b boolean, CHECK (a <> 'pending' AND wait()))",
        "INSERT INTO job VALUES ('done')",
        "CREATE INDEX ON job (b) WHERE a = 'done'",
    )
    before = state(database_url)
    failures: list[Exception] = []

    def run() -> None:
        try:
            replace(database_url)
        except DBAPIError as error:
            failures.append(error)

    waiting = "FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    with connection(database_url) as holder:
        holder.exec_driver_sql("SELECT pg_advisory_lock(1)")
        thread = threading.Thread(target=run)
        thread.start()
        try:
            wait_until(database_url, f"SELECT 1 {waiting}")
        finally:
            rows(database_url, f"SELECT pg_terminate_backend(pid) {waiting}")
            thread.join(20)
    assert len(failures) == 1
    assert state(database_url) == before
    replace(database_url)
    assert labels(database_url) == list(NEW)


def test_of_two_runs_at_once_one_does_the_work(database_url: str) -> None:
    execute(
        database_url,
        TYPE,
        "CREATE TABLE base (id int, a status) PARTITION BY LIST (id)",
        "CREATE TABLE apart (id int, a status)",
        "ALTER TABLE base ATTACH PARTITION apart DEFAULT",
        "CREATE TABLE job (a status)",
    )
    failures: list[Exception] = []

    def run() -> None:
        try:
            replace(database_url)
        except Exception as error:  # Whatever it is, the test must see it.
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    with connection(database_url) as holder:
        holder.exec_driver_sql("SELECT * FROM job")
        for thread in threads:
            thread.start()
        wait_until(
            database_url,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() HAVING count(*) = 2",
        )
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert labels(database_url) == list(NEW)
