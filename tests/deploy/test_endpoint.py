"""Where the application's secrets say that it connects."""

from __future__ import annotations

import pytest

from pgmigrations.database_url import DatabaseUrl, parse_database_url
from pgmigrations.deploy.endpoint import NotConfigured, endpoint_of
from pgmigrations.deploy.secret import Endpoint, Secret, SecretUnusable

URL = "postgresql://me@direct:6543/shop"


@pytest.mark.parametrize(
    ("proxy", "host", "port"),
    [
        ("", "direct", 6543),
        ("proxy", "proxy", 6543),
        (" proxy.example.org:5432\n", "proxy.example.org", 5432),
        ("::1", "::1", 6543),
        ("fd00::5432", "fd00::5432", 6543),
        ("[::1]:5432", "::1", 5432),
        ("[::1]", "::1", 6543),
        ("10.0.0.1:5432", "10.0.0.1", 5432),
    ],
)
def test_the_proxy_comes_first(proxy: str, host: str, port: int) -> None:
    found = endpoint_of(parse_database_url(URL), {"DB_PROXY": proxy})
    assert found == Endpoint(host, port, "shop")


@pytest.mark.parametrize(
    "proxy",
    ["proxy:", ":6432", "p1:5432,p2:5433", "https://proxy:5432", "p:99999", "p:0", "[p]:1", "a b"],
)
def test_a_proxy_that_is_no_host_is_refused(proxy: str) -> None:
    with pytest.raises(NotConfigured, match="DB_PROXY"):
        endpoint_of(parse_database_url(URL), {"DB_PROXY": proxy})


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"PGHOST": "h", "PGPORT": " 5433 ", "PGDATABASE": "d"}, Endpoint("h", 5433, "d")),
        ({"PGHOST": "h", "PGUSER": "u"}, Endpoint("h", 5432, "u")),
        (
            {"PGHOST": "a,b", "PGPORT": "1,2", "PGDATABASE": "d", "DB_PROXY": "p:3"},
            Endpoint("p", 3, "d"),
        ),
        ({"PGSERVICE": "s", "PGDATABASE": "d", "DB_PROXY": "p"}, Endpoint("p", 5432, "d")),
    ],
)
def test_libpqs_variables_say_the_rest(environ: dict[str, str], found: Endpoint) -> None:
    assert endpoint_of(DatabaseUrl(), environ) == found


@pytest.mark.parametrize(
    ("url", "environ", "told"),
    [
        ("", {"PGSERVICE": "s", "PGDATABASE": "d"}, "service file"),
        ("", {"PGSERVICE": "s", "DB_PROXY": "p"}, "Set DB_NAME"),
        ("", {"PGHOSTADDR": "10.0.0.1", "PGDATABASE": "d"}, "no host"),
        ("", {"PGHOST": "h"}, "Set DB_NAME"),
        ("postgresql:///d?service=s", {}, "service file"),
        ("postgresql://a,b/d", {}, "several hosts"),
        ("", {"PGHOST": "h", "PGPORT": "1,2", "PGDATABASE": "d"}, "no port"),
    ],
)
def test_what_only_libpq_knows_is_refused(url: str, environ: dict[str, str], told: str) -> None:
    with pytest.raises(NotConfigured, match=told):
        endpoint_of(parse_database_url(url) if url else DatabaseUrl(), environ)


@pytest.mark.parametrize(
    "text",
    [
        '{"port": "abc"}',
        '{"port": NaN}',
        '{"port": true}',
        '{"port": [1]}',
        '{"port": 1e400}',
        '{"port": 70000}',
        f'{{"port": "{"1" * 5000}"}}',
        f'{{"port": {"1" * 4000}}}',
        f'{{"port": {"1" * 5000}}}',
        '{"username": "\\ud800"}',
        '{"password": "a\\u0000b"}',
        '{"host": ["h"]}',
        "[" * 100_000,
        "null",
    ],
)
def test_a_secret_that_is_no_login_is_refused_without_its_content(text: str) -> None:
    with pytest.raises(SecretUnusable, match=r"of the secret name|The secret name is no JSON"):
        Secret.parse(text, "name")


def test_a_secret_may_hold_its_port_as_a_text() -> None:
    assert Secret.parse('{"port": "6432", "password": 123}', "name").port == 6432
    assert Secret.parse("{}", "name").port == 5432
