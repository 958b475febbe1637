from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pgmigrations.embedded import EmbeddedServer, PostgresTree, temporary_server
from tests.embedded.conftest import query

DEBIAN_15 = Path("/usr/lib/postgresql/15")
NAMES = [
    "",
    "www.example.com",
    "a\\b\\\\c\\'",
    "tab\tline\nend",
    "äöü ß 漢字 🐘",
    "x" * 39,
    "x" * 40,
]
NAMES += ["x" * 47, "x" * 48, "y" * 103, "y" * 104, "y" * 111, "y" * 112, "z" * 5000, "\\x41", "%s"]
NAMESPACES = {
    "uuid_nil": "00000000-0000-0000-0000-000000000000",
    "uuid_ns_dns": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "uuid_ns_oid": "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
    "uuid_ns_url": "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "uuid_ns_x500": "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
}
# Answers of the C module (PostgreSQL 15) for uuid_ns_url().
STORED = {
    "": ("14cdb9b4-de01-3faa-aff5-65bc2f771745", "1b4db7eb-4057-5ddf-91e0-36dec72071f5"),
    "www.example.com": (
        "a777199a-c522-31c4-8f4b-335feec7215b",
        "b63cdfa4-3df9-568e-97ae-006c5b8fd652",
    ),
}
CATALOG = """
SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile,
       proisstrict, proparallel, proretset, prosecdef, proleakproof
FROM pg_proc
WHERE oid IN (SELECT objid FROM pg_depend WHERE deptype = 'e' AND refobjid = (
    SELECT oid FROM pg_extension WHERE extname = 'uuid-ossp'))
ORDER BY proname
"""
EXTENSION = """
SELECT extversion, extrelocatable, extconfig IS NULL, obj_description(e.oid), trusted, superuser
FROM pg_extension e
JOIN pg_available_extension_versions v ON name = extname AND version = extversion
WHERE extname = 'uuid-ossp'
"""
STOCK_CATALOG = [
    (name, arguments, "uuid", volatile, True, "s", False, False, False)
    for name, arguments, volatile in [
        ("uuid_generate_v1", "", "v"),
        ("uuid_generate_v1mc", "", "v"),
        ("uuid_generate_v3", "namespace uuid, name text", "i"),
        ("uuid_generate_v4", "", "v"),
        ("uuid_generate_v5", "namespace uuid, name text", "i"),
        *((name, "", "i") for name in NAMESPACES),
    ]
]


@pytest.fixture(scope="module")
def server(shared_server: EmbeddedServer) -> EmbeddedServer:
    shared_server.create_database("uuid")
    query(shared_server, 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', database="uuid")
    return shared_server


@pytest.fixture(scope="module")
def stock() -> Iterator[EmbeddedServer]:
    """A PostgreSQL with the C module."""
    if not (DEBIAN_15 / "lib" / "uuid-ossp.so").exists():
        pytest.skip("no PostgreSQL 15 of Debian with uuid-ossp is installed")
    with temporary_server(tree=PostgresTree.at(DEBIAN_15)) as server:
        query(server, 'CREATE EXTENSION "uuid-ossp"')
        yield server


def ask(server: EmbeddedServer, text: str, *values: object) -> Any:
    return query(server, text, *values, database="uuid")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_v3_and_v5_are_those_of_the_rfc(server: EmbeddedServer, name: str) -> None:
    rows = ask(
        server,
        "SELECT uuid_generate_v3(n, %s)::text, uuid_generate_v5(n, %s)::text FROM uuid_ns_url() n",
        name,
        name,
    )
    space = uuid.NAMESPACE_URL
    assert rows == [(str(uuid.uuid3(space, name)), str(uuid.uuid5(space, name)))]


@pytest.mark.parametrize("name", STORED)
def test_v3_and_v5_give_the_stored_answers(server: EmbeddedServer, name: str) -> None:
    text = (
        "SELECT uuid_generate_v3(n, %s)::text, uuid_generate_v5(n, %s)::text FROM uuid_ns_url() n"
    )
    assert ask(server, text, name, name) == [STORED[name]]


def test_constants_are_the_stock_ones(server: EmbeddedServer) -> None:
    for function, value in NAMESPACES.items():
        assert ask(server, f"SELECT {function}()::text") == [(value,)]


def test_catalog_rows_are_the_stock_ones(server: EmbeddedServer) -> None:
    assert ask(server, CATALOG) == STOCK_CATALOG
    comment = "generate universally unique identifiers (UUIDs)"
    assert ask(server, EXTENSION) == [("1.1", True, True, comment, True, True)]


def test_stock_server_says_the_same(server: EmbeddedServer, stock: EmbeddedServer) -> None:
    text = (
        "SELECT n::text, uuid_generate_v3(n, t)::text, uuid_generate_v5(n, t)::text"
        " FROM unnest(%s) WITH ORDINALITY AS u (t, i),"
        " unnest(ARRAY[uuid_nil(), uuid_ns_dns(), uuid_ns_url(), uuid_ns_oid(), uuid_ns_x500()])"
        " WITH ORDINALITY AS v (n, j) ORDER BY i, j"
    )
    stored = (
        "SELECT uuid_generate_v3(n, %s)::text, uuid_generate_v5(n, %s)::text FROM uuid_ns_url() n"
    )
    for name, answers in STORED.items():
        assert query(stock, stored, name, name) == [answers]
    for statement, values in ((CATALOG, ()), (EXTENSION, ()), (text, (NAMES,))):
        assert ask(server, statement, *values) == query(stock, statement, *values)


def test_answers_follow_the_encoding_of_the_database(
    server: EmbeddedServer, stock: EmbeddedServer
) -> None:
    text = (
        "SELECT uuid_generate_v3(n, %s)::text, uuid_generate_v5(n, %s)::text FROM uuid_ns_url() n"
    )
    answers = []
    for one in (server, stock):
        query(one, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        query(one, 'CREATE EXTENSION "uuid-ossp"', database="latin")
        answers.append(query(one, text, "äöü\\ß", "äöü\\ß", database="latin"))
    assert answers[0] == answers[1]
    assert answers[0] != ask(server, text, "äöü\\ß", "äöü\\ß")


def test_null_gives_null(server: EmbeddedServer) -> None:
    assert ask(
        server,
        "SELECT uuid_generate_v3(uuid_nil(), NULL), uuid_generate_v5(uuid_nil(), NULL),"
        " uuid_generate_v3(NULL, 'x'), uuid_generate_v5(NULL, 'x')",
    ) == [(None,) * 4]


@pytest.mark.parametrize("function", ["uuid_generate_v1", "uuid_generate_v1mc"])
def test_time_based_values_are_of_now_and_distinct(server: EmbeddedServer, function: str) -> None:
    rows = ask(
        server,
        f"SELECT count(DISTINCT u), bool_and(uuid_extract_version(u) = 1),"
        " bool_and(uuid_extract_timestamp(u)"
        " BETWEEN now() - interval '1 ms' AND clock_timestamp()),"
        " count(DISTINCT right(u::text, 12)), bool_and(get_bit(uuid_send(u), 80) = 1)"
        f" FROM (SELECT {function}() AS u FROM generate_series(1, 5000)) AS s",
    )
    nodes = 1 if function == "uuid_generate_v1" else 5000
    assert rows == [(5000, True, True, nodes, True)]


def test_v4_values_are_random(server: EmbeddedServer) -> None:
    assert ask(
        server,
        "SELECT count(DISTINCT u), bool_and(uuid_extract_version(u) = 4)"
        " FROM (SELECT uuid_generate_v4() AS u FROM generate_series(1, 5000)) AS s",
    ) == [(5000, True)]


def test_defaults_print_as_on_a_stock_server(server: EmbeddedServer) -> None:
    ask(server, "CREATE TABLE d (id uuid DEFAULT uuid_generate_v4())")
    try:
        assert ask(server, "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef") == [
            ("uuid_generate_v4()",)
        ]
        with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
            ask(server, 'DROP EXTENSION "uuid-ossp"')
    finally:
        ask(server, "DROP TABLE d")


def test_search_path_of_the_caller_changes_no_answer(server: EmbeddedServer) -> None:
    expected = str(uuid.uuid5(uuid.NAMESPACE_URL, "x")), str(uuid.uuid3(uuid.NAMESPACE_URL, "x"))
    connection = psycopg2.connect(server.url("uuid", driver=None))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA trap;"
            "CREATE FUNCTION trap.md5(bytea) RETURNS text LANGUAGE sql RETURN repeat('0', 32);"
            "CREATE FUNCTION trap.gen_random_uuid() RETURNS uuid LANGUAGE sql RETURN NULL::uuid;"
            "CREATE FUNCTION trap.cut(bigint, bigint) RETURNS bigint LANGUAGE sql RETURN 0;"
            "CREATE OPERATOR trap.& (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.cut);"
            "SET LOCAL search_path = trap, pg_catalog, public;"
            "SELECT uuid_generate_v5(uuid_ns_url(), 'x')::text,"
            " uuid_generate_v3(uuid_ns_url(), 'x')::text, uuid_generate_v4() IS NOT NULL"
        )
        assert cursor.fetchall() == [(*expected, True)]
    connection.close()


def test_owner_of_a_database_can_install_move_and_drop_it(server: EmbeddedServer) -> None:
    query(server, "CREATE ROLE plain_owner LOGIN")
    query(server, "CREATE DATABASE of_plain_owner OWNER plain_owner")
    url = server.url("of_plain_owner", driver=None).replace("postgres@", "plain_owner@")
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
        cursor.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
        cursor.execute("SELECT uuid_generate_v1() IS NOT NULL, uuid_generate_v1mc() IS NOT NULL")
        assert cursor.fetchall() == [(True, True)]
        cursor.execute('DROP EXTENSION "uuid-ossp"')
        cursor.execute("CREATE SCHEMA tools")
        cursor.execute('CREATE EXTENSION "uuid-ossp" SCHEMA tools')
        cursor.execute(
            "SELECT tools.uuid_generate_v5(tools.uuid_ns_url(), 'www.example.com')::text"
        )
        assert cursor.fetchall() == [(STORED["www.example.com"][1],)]
    connection.close()
    query(server, 'ALTER EXTENSION "uuid-ossp" SET SCHEMA public', database="of_plain_owner")
    text = "SELECT uuid_generate_v5(uuid_ns_url(), 'www.example.com')::text"
    assert query(server, text, database="of_plain_owner") == [(STORED["www.example.com"][1],)]


def test_dump_holds_the_extension_and_no_function(server: EmbeddedServer) -> None:
    dump = subprocess.run(
        [server.tree.bin / "pg_dump", "--schema-only", server.url("uuid", driver=None)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;' in dump
    assert "CREATE FUNCTION" not in dump


def test_files_in_the_tree_serve_versions_without_the_setting(
    disk: Path, tree: PostgresTree
) -> None:
    copy = tree.with_uuid_ossp(disk / "copy")
    assert copy.offers("uuid-ossp")
    assert not tree.offers("uuid-ossp")
    assert copy.with_uuid_ossp(disk / "again") is copy
    assert not (disk / "again").exists()
    with temporary_server(tree=copy) as server:
        assert query(server, "SHOW extension_control_path") == [("$system",)]
        query(server, 'CREATE EXTENSION "uuid-ossp"')
        assert query(server, "SELECT uuid_ns_dns()::text") == [(NAMESPACES["uuid_ns_dns"],)]
