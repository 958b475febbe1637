"""URLs as people have them: read, shown without their password, and really connected with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import psycopg2
import pytest
import sqlalchemy
from psycopg2 import sql

from pgmigrations.database_url import (
    DatabaseUrl,
    DatabaseUrlError,
    from_environment,
    parse_database_url,
)

PASSWORD = "@:/?#[]%&= '\"\\é€"
# Roles and databases belong to the whole server, which parallel test processes share.
DATABASE = f"my \"odd\" 100% 'db' {os.getpid()}"
SSL_REQUIRED = {"user": "u", "password": "p", "host": "h", "dbname": "d", "sslmode": "require"}
PLAIN = {"user": "u", "password": "p", "host": "h", "port": "5433", "dbname": "d"}

RAW_PASSWORDS = "p@ss p#ss p/ss p?ss p:ss p%ss 12/s 12?s p[]s p+s p&=s".split()  # noqa: SIM905
RAW_PASSWORDS += ["p s", PASSWORD]

READ: list[tuple[str, dict[str, str]]] = [
    ("postgres://u:p@h:5433/d", PLAIN),
    ("postgresql://u:p@h:5433/d", PLAIN),
    ("POSTGRESQL://u:p@h:5433/d", PLAIN),
    ("postgresql+psycopg2://u:p@h:5433/d", PLAIN),
    ("postgresql+psycopg2cffi://u:p@h:5433/d", PLAIN),
    ("postgresql+psycopg://u:p@h:5433/d", PLAIN),
    ("postgres+asyncpg://u:p@h:5433/d", PLAIN),
    ("postgresql+pg8000://u:p@h:5433/d", PLAIN),
    ("  postgres://u:p@h:5433/d\r\n", PLAIN),
    ("'postgres://u:p@h:5433/d'", PLAIN),
    ('"postgres://u:p@h:5433/d"\n', PLAIN),
    ("export DATABASE_URL='postgres://u:p@h:5433/d'", PLAIN),
    ("jdbc:postgresql://h:5433/d?user=u&password=p", PLAIN),
    ("host=h port=5433 user=u password=p dbname=d", PLAIN),
    ("postgresql://h:5433/d?user=u&password=p", PLAIN),
    ("postgresql+asyncpg://u:p@h/d?ssl=require", SSL_REQUIRED),
    ("postgresql+asyncpg://u:p@h/d?ssl=true", SSL_REQUIRED),
    ("postgresql://u:p@h/d?sslmode=require", SSL_REQUIRED),
    ("postgresql://u:p@h/d?sslmode=no-verify", SSL_REQUIRED),
    ("postgresql://u:p@h/d?ssl=require&sslmode=require", SSL_REQUIRED),
    (
        "postgresql+asyncpg://u:p@h/d?ssl=require&prepared_statement_cache_size=0&pool_size=5",
        SSL_REQUIRED,
    ),
    ("postgresql+asyncpg://h/?ssl=disable", {"host": "h", "sslmode": "disable"}),
    ("postgresql+asyncpg://h/?ssl=verify-full", {"host": "h", "sslmode": "verify-full"}),
    ("jdbc:postgresql://h/?ssl=true", {"host": "h", "sslmode": "verify-full"}),
    ("postgresql+asyncpg://h/?timeout=2.5", {"host": "h", "connect_timeout": "3"}),
    ("postgresql://h:1/?schema=x", {"host": "h", "port": "1", "options": "-c search_path=x"}),
    (
        "postgresql+asyncpg://h/?statement_timeout=5s&options=-c%20jit%3Doff",
        {"host": "h", "options": "-c jit=off -c statement_timeout=5s"},
    ),
    (
        "postgresql://h/?sslmode=verify-ca&sslrootcert=/etc/ca.pem&connect_timeout=3",
        {
            "host": "h",
            "sslmode": "verify-ca",
            "sslrootcert": "/etc/ca.pem",
            "connect_timeout": "3",
        },
    ),
    (
        "postgresql://h/?options=-csearch_path%3Dx&application_name=a+b&target_session_attrs=any",
        {
            "host": "h",
            "options": "-csearch_path=x",
            "application_name": "a+b",
            "target_session_attrs": "any",
        },
    ),
    ("postgresql:///d?host=/var/run/postgresql", {"host": "/var/run/postgresql", "dbname": "d"}),
    ("postgresql://%2Fvar%2Frun/d", {"host": "/var/run", "dbname": "d"}),
    ("postgresql:///d?host=/cloudsql/a:b:c", {"host": "/cloudsql/a:b:c", "dbname": "d"}),
    ("postgresql://[::1]:5433/d", {"host": "::1", "port": "5433", "dbname": "d"}),
    ("postgresql://[fe80::1%25eth0]/d", {"host": "fe80::1%eth0", "dbname": "d"}),
    ("postgresql://a:5432,b:5433/d", {"host": "a,b", "port": "5432,5433", "dbname": "d"}),
    ("postgresql://a,b:5433/d", {"host": "a,b", "port": ",5433", "dbname": "d"}),
    ("postgresql://a,b/d", {"host": "a,b", "dbname": "d"}),
    ("postgresql:///d?host=a,b&port=5433", {"host": "a,b", "port": "5433,5433", "dbname": "d"}),
    ("postgresql:///d?host=a:1&host=b:2", {"host": "a,b", "port": "1,2", "dbname": "d"}),
    ("postgresql://:5433/d", {"port": "5433", "dbname": "d"}),
    ("postgresql://h/a%20b%25", {"host": "h", "dbname": "a b%"}),
    ("postgresql://h/a b%", {"host": "h", "dbname": "a b%"}),
    ("postgresql://h/my@db", {"host": "h", "dbname": "my@db"}),
    ("postgresql://", {}),
    ("postgresql+psycopg2://", {}),
    (
        "postgres://u@srv:p@h.example.org/",
        {"user": "u@srv", "password": "p", "host": "h.example.org"},
    ),
    (r"user=u password='it\'s \\ =' host=h", {"user": "u", "password": r"it's \ =", "host": "h"}),
    *((f"postgres://u:{raw}@h:5433/d", PLAIN | {"password": raw}) for raw in RAW_PASSWORDS),
]

REFUSED: list[tuple[str, str]] = [
    ("mysql://u:s3cret@h/d", "mysql://"),
    ("sqlite:///d", "sqlite://"),
    ("s3cret", "does not start with"),
    ("s3cret:x", "does not start with"),
    ("", "empty"),
    ("''", "empty"),
    ("${DATABASE_URL}", "placeholder"),
    ("postgres://u:s3cret@h/d\npostgres://u:s3cret@h/e", "line break"),
    ("postgresql:/u:s3cret@h/d", "lacks the //"),
    ("postgresql+psycog://u:s3cret@h/d", "'psycog'"),
    ("postgres://u:s3cret", "no well-formed host"),
    ("postgres://u:12?s3cret=x", "does not know"),
    ("postgres://u:s3cret@h:99999/d", "cannot be read"),
    ("postgres://u:s3cret@h/a/b", "more than one /"),
    ("postgres://u:12/s3cret@h", "%40"),
    ("postgres://u:s3cret@h/my@db", "%40"),
    ("postgres://u:s3cret%40%zz@h/d", "%25"),
    ("postgres://u:s3cret@%40x@h/d", "%25"),
    ("postgres://u:s3cret%ff@h/d", "UTF-8"),
    ("postgres://u:s3cret%00@h/d", "zero byte"),
    ("postgres://u:s3cret@h/d?sslmod=require", "sslmode"),
    ("postgres://u:s3cret@h/d?server_settings={}", "options="),
    ("postgres://u:s3cret@h/d?ssl=require&sslmode=disable", "twice"),
    ("postgres://u:s3cret@h/d?password=a&password=s3cret", "twice"),
    ("postgres://u:s3cret@h/d?ssl=s3cret", "one of disable"),
    ("postgres://u:s3cret@h/d?connect_timeout=soon", "seconds"),
    ("postgres://u@h/d?password=x&s3cret", "cannot be read"),
    ("postgres://u:s3cret\udcff@h/d", "not UTF-8"),
    ("host=h password=my s3cret=x", "single quotes"),
    ("host=h password='s3cret", "single quotes"),
    ("jdbc:mysql://h/d?password=s3cret", "jdbc:postgresql"),
    ('{"username": "u", "password": "s3cret"}', "does not start with"),
]


@pytest.mark.parametrize(("text", "libpq"), READ, ids=[text for text, _ in READ])
def test_every_row_is_read_as_libpq_parameters(text: str, libpq: dict[str, str]) -> None:
    assert parse_database_url(text).libpq == libpq


@pytest.mark.parametrize("text", [text for text, _ in READ])
def test_every_form_reads_back_as_itself(text: str) -> None:
    url = parse_database_url(text)
    assert parse_database_url(url.sqlalchemy) == url
    assert url.password is None or "***" in url.display


@pytest.mark.parametrize(("text", "saying"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_cannot_be_read_is_refused_without_its_password(text: str, saying: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        parse_database_url(text)
    assert saying in str(caught.value)
    assert "s3cret" not in str(caught.value) + repr(caught.value)
    assert "\n" not in str(caught.value)


def test_no_form_for_people_shows_a_secret() -> None:
    text = "postgres://u:s3cret@h/d?sslpassword=s3cret&sslmode=require"
    for form in (text, text.replace("u:s3cret@h/d?", "u@h/d?password=s3cret&")):
        url = parse_database_url(form)
        shown = f"{url} {url!r} {url.display} {[url]}"
        assert "s3cret" not in shown
        assert "***@h/d" in shown
        assert "s3cret" in url.sqlalchemy


def test_another_database_keeps_the_rest() -> None:
    url = parse_database_url("postgres://u:p@h/a%3Fb?sslmode=require").with_database("c")
    assert url.sqlalchemy == "postgresql+psycopg2://u:p@h/c?sslmode=require"


def test_parts_are_readable() -> None:
    url = parse_database_url("postgres://u:p@h:5433/d")
    assert (url.user, url.password, url.host, url.port, url.database) == ("u", "p", "h", 5433, "d")
    none = parse_database_url("postgresql://a:1,b:2/")
    assert (none.user, none.password, none.host, none.port, none.database) == (
        *(None, None, "a,b"),
        *(None, None),
    )


def test_reading_a_url_loads_no_driver() -> None:
    code = (
        "import sys, pgmigrations.database_url as d; d.parse_database_url('postgres://h/d');"
        "print(sorted({'sqlalchemy', 'alembic', 'psycopg2'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGPORT", "PGDATABASE"])
def test_variables_that_name_a_server_are_left_to_libpq(name: str) -> None:
    url = from_environment({name: "x"})
    assert url is not None
    assert url.sqlalchemy == "postgresql+psycopg2://"


def test_variables_that_name_no_server_do_not_count() -> None:
    environ = {"PGUSER": "u", "PGPASSWORD": "p", "PGSSLMODE": "require", "PGHOST": ""}
    assert from_environment(environ) is None


def test_database_url_wins_over_libpq_variables() -> None:
    url = from_environment({"DATABASE_URL": "postgres://h/d", "PGHOST": "other"})
    assert url == DatabaseUrl((("host", "h"), ("dbname", "d")))


@pytest.mark.parametrize("empty", ["", " \n", '""'])
def test_an_empty_database_url_is_an_error_and_not_another_database(empty: str) -> None:
    with pytest.raises(DatabaseUrlError, match="DATABASE_URL is set and empty"):
        from_environment({"DATABASE_URL": empty, "PGHOST": "h"})


@dataclass(frozen=True)
class Login:
    user: str
    host: str
    port: int
    folder: str | None


@pytest.fixture(scope="module")
def login(server_url: str, tcp_server: tuple[str, int]) -> Iterator[Login]:
    """A role whose password, and a database whose name, hold what URLs give a meaning to."""
    server = parse_database_url(server_url)
    user = f"odd {os.getpid()}%"
    names = {
        "user": sql.Identifier(user),
        "database": sql.Identifier(DATABASE),
        "password": sql.Literal(PASSWORD),
    }
    admin = psycopg2.connect(**server.libpq)
    admin.autocommit = True
    run = admin.cursor().execute
    run(sql.SQL("CREATE ROLE {user} LOGIN PASSWORD {password}").format(**names))
    run(sql.SQL("CREATE DATABASE {database} OWNER {user} TEMPLATE template0").format(**names))
    folder = server.host if server.host and server.host.startswith("/") else None
    yield Login(user, *tcp_server, folder)
    run(sql.SQL("DROP DATABASE {database} WITH (FORCE)").format(**names))
    run(sql.SQL("DROP ROLE {user}").format(**names))
    admin.close()


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


LIVE = {
    "encoded": "postgresql://{user}:{password}@{host}:{port}/{database}",
    "postgres": "postgres://{user}:{password}@{host}:{port}/{database}",
    "psycopg2": "postgresql+psycopg2://{user}:{password}@{host}:{port}/{database}",
    "psycopg": "postgresql+psycopg://{user}:{password}@{host}:{port}/{database}",
    "asyncpg": "postgresql+asyncpg://{user}:{password}@{host}:{port}/{database}?ssl=prefer",
    "raw password": "postgres://{user}:{raw_password}@{host}:{port}/{database}",
    "raw database": "postgres://{user}:{password}@{host}:{port}/{raw_database}",
    "in the query": "postgres://{host}:{port}/{database}?user={user}&password={password}",
    "all in the query": "postgres:///?host={host}&port={port}&dbname={database}&user={user}"
    "&password={password}",
    "jdbc": "jdbc:postgresql://{host}:{port}/{database}?user={user}&password={password}&ssl=false",
    "key=value": "host={host} port={port} user={user_word} password={password_word} "
    "dbname={database_word}",
    "parameters": "postgres://{user}:{password}@{host}:{port}/{database}?connect_timeout=5"
    "&options=-csearch_path%3Dx&application_name=a%26b&target_session_attrs=any",
    "failover": "postgres://{user}:{password}@{host}:1,{host}:{port}/{database}",
    "failover in the query": "postgres://{user}:{password}@/{database}?host={host}:1"
    "&host={host}:{port}",
    "socket": "postgresql://{user}:{password}@/{database}?host={folder}&port={port}",
    "encoded socket": "postgresql://{user}:{password}@{encoded_folder}:{port}/{database}",
    "quoted line": "DATABASE_URL=\"postgres://{user}:{password}@{host}:{port}/{database}\"\n",
}  # fmt: skip


def _written(form: str, login: Login) -> str:
    return form.format(
        user=quote(login.user, safe=""),
        password=quote(PASSWORD, safe=""),
        host=login.host,
        port=login.port,
        database=quote(DATABASE, safe=""),
        raw_password=PASSWORD,
        raw_database=DATABASE,
        user_word=_quoted(login.user),
        password_word=_quoted(PASSWORD),
        database_word=_quoted(DATABASE),
        folder=login.folder,
        encoded_folder=quote(login.folder or "", safe=""),
    )


@pytest.mark.parametrize("name", LIVE)
def test_every_form_connects_with_the_driver_and_with_sqlalchemy(name: str, login: Login) -> None:
    if "folder" in LIVE[name] and login.folder is None:
        pytest.skip("the test server listens on no socket folder")
    url = parse_database_url(_written(LIVE[name], login))
    question = "SELECT current_user, current_database()"
    connection = psycopg2.connect(**url.libpq)
    with connection.cursor() as cursor:
        cursor.execute(question)
        assert cursor.fetchone() == (login.user, DATABASE)
    connection.close()
    engine = sqlalchemy.create_engine(url.sqlalchemy, poolclass=sqlalchemy.NullPool)
    with engine.connect() as work:
        assert work.execute(sqlalchemy.text(question)).one() == (login.user, DATABASE)


def test_server_settings_of_a_url_reach_the_server(login: Login) -> None:
    form = "postgresql+asyncpg://{user}:{password}@{host}:{port}/{database}?jit=off"
    url = parse_database_url(_written(form + '&search_path="a b",c&application_name=x+y', login))
    connection = psycopg2.connect(**url.libpq)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('jit'), current_setting('search_path'),"
            " current_setting('application_name')"
        )
        assert cursor.fetchone() == ("off", '"a b",c', "x+y")
    connection.close()


SPECIAL = "@:/?#[]%&=+ '\"\\!$,;~^*(){}<>|`é1a"


def test_every_password_is_read_right_when_encoded() -> None:
    for first, second, third in product(SPECIAL, repeat=3):
        password = first + second + third
        text = f"postgres://u:{quote(password, safe='')}@h:1/d?sslmode=require"
        url = parse_database_url(text)
        assert url.password == password
        assert parse_database_url(url.sqlalchemy) == url
        assert sqlalchemy.make_url(url.sqlalchemy).password == password


def test_a_raw_password_is_read_right_or_refused_and_never_shown() -> None:
    read = 0
    for parts in product(SPECIAL, repeat=3):
        password = "".join(parts)
        if re.search("%[0-9a-f]{2}", password):
            continue
        try:
            url = parse_database_url(f"postgres://u:S{password}S@h:1/d")
        except DatabaseUrlError as error:
            shown = str(error)
        else:
            read, shown = read + 1, str(url)
            assert (url.password, url.host, url.database) == (f"S{password}S", "h", "d")
        assert f"S{password}S" not in shown
    assert read > 0.99 * len(SPECIAL) ** 3


@pytest.mark.parametrize("place", ["path", "key=value"])
def test_every_database_name_survives_each_form(place: str) -> None:
    for pair in product(SPECIAL, repeat=2):
        name = f"x{''.join(pair)}x"
        text = f"postgres://h:1/{quote(name, safe='')}"
        url = parse_database_url(text if place == "path" else f"host=h dbname={_quoted(name)}")
        assert url.database == name
        assert parse_database_url(url.sqlalchemy) == url
        made = sqlalchemy.make_url(url.sqlalchemy)
        assert name in (made.database, made.query.get("dbname"))
        assert psycopg2.extensions.parse_dsn(
            psycopg2.extensions.make_dsn(**url.libpq)
        )["dbname"] == name  # fmt: skip
