"""Read a database URL, a JDBC URL or a libpq connection string."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgmigrations.database_url.authority import decode, host_parameters, split_authority
from pgmigrations.database_url.parameter import KNOWN_PARAMETERS, UNDERSTOOD, translate
from pgmigrations.database_url.value import SECRET_PARAMETERS, DatabaseUrl, DatabaseUrlError

_DRIVERS = ("asyncpg", "pg8000", "psycopg", "psycopg2", "psycopg2cffi", "psycopg_async")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+._-]*):(?P<slashes>/*)(?P<rest>.*)", re.DOTALL)
_LINE_OF_ENV_FILE = re.compile(r"(?:export\s+)?DATABASE_URL\s*=\s*")
# Compiled by those who need it, since it takes longer than reading a URL.
_WORD = (
    r"\s*(?P<key>[a-z_]+)\s*=\s*"
    r"(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<bare>(?:[^\s'\\]|\\.)*))(?=\s|$)"
)
_HOST = re.compile(r"[/@].*|[\w.-]*|[0-9A-Fa-f:.]+(?:%[\w.-]+)?")
_EXAMPLE = "Write it like postgresql://user:password@host:5432/database"


def parse_database_url(text: str) -> DatabaseUrl:
    r"""Read a PostgreSQL database URL as people have it.

    Accepted: `postgres://` and `postgresql://`, with the driver names of SQLAlchemy; `jdbc:`
    URLs; libpq's `host=... dbname=...`. Socket folders, IPv6 addresses and several hosts. The
    parameters of libpq, and those of asyncpg, JDBC and others that have a meaning in libpq.
    Passwords percent-encoded, or raw where only one reading is possible. White space, quotes and
    `DATABASE_URL=` around the text.

    In a parameter, `+` is a space in `options` and in JDBC URLs, and itself everywhere else, as
    in libpq.

    Args:
        text: The URL.

    Raises:
        DatabaseUrlError: It cannot be understood, or can be in more than one way.
    """
    cleaned = _clean(text)
    if re.match(r"[a-z_]+\s*=", cleaned):
        return DatabaseUrl(_ordered(translate(_canonical_hosts(dict(_words(cleaned))).items())))
    match = _SCHEME.fullmatch(cleaned)
    if match is None:
        raise DatabaseUrlError("The database URL does not start with postgresql://", _EXAMPLE)
    jdbc = match["scheme"].lower() == "jdbc"
    rest = _rest_of_jdbc(match["rest"]) if jdbc else _rest_of_url(match)
    reading = split_authority(rest)
    if not jdbc:
        _check_keys(rest, [key for key, _ in reading.query])
    query = _joined((key, _value(key, value, jdbc=jdbc)) for key, value in reading.query)
    merged = dict(reading.parameters) | translate(query.items(), jdbc=jdbc)
    return DatabaseUrl(_ordered(_canonical_hosts(merged)))


def _clean(text: str) -> str:
    cleaned = text.strip("\ufeff \t\r\n\v\f")
    if prefix := _LINE_OF_ENV_FILE.match(cleaned):
        cleaned = cleaned[prefix.end() :]
    if len(cleaned) > 1 and cleaned[0] == cleaned[-1] and cleaned[0] in "'\"`":
        cleaned = cleaned[1:-1].strip()
    if not cleaned:
        raise DatabaseUrlError("The database URL is empty", _EXAMPLE)
    if any("\ud800" <= char <= "\udfff" for char in cleaned):
        raise DatabaseUrlError("The database URL is not UTF-8", "Write it in UTF-8")
    if any(ord(char) < ord(" ") for char in cleaned):
        raise DatabaseUrlError("The database URL holds a line break or control character", _EXAMPLE)
    if cleaned.startswith(("$", "{{", "<")):
        raise DatabaseUrlError(
            "The database URL starts with $, {{ or <: a placeholder that was not filled in",
            _EXAMPLE,
        )
    return cleaned


def _rest_of_url(match: re.Match[str]) -> str:
    scheme = match["scheme"].lower()
    base, _, driver = scheme.partition("+")
    if base not in ("postgres", "postgresql"):
        # Without // the text before the colon may be anything, a password too.
        named = f"is of {scheme}://, not" if match["slashes"] else "does not start with"
        raise DatabaseUrlError(f"The database URL {named} postgresql://", _EXAMPLE)
    if match["slashes"][:2] != "//":
        raise DatabaseUrlError(f"The database URL lacks the // after {base}:", _EXAMPLE)
    if "+" in scheme and driver not in _DRIVERS:
        raise DatabaseUrlError(
            f"The database URL names the driver {driver!r}, which is unknown",
            f"Leave it out, or take one of {', '.join(_DRIVERS)}",
        )
    return match["slashes"][2:] + match["rest"]


def _rest_of_jdbc(rest: str) -> str:
    kind, _, address = rest.partition(":")
    if kind.lower() != "postgresql":
        raise DatabaseUrlError("The database URL is of JDBC, but not jdbc:postgresql:", _EXAMPLE)
    # JDBC also has the short form jdbc:postgresql:database, on this machine's TCP port.
    return address[2:] if address.startswith("//") else f"localhost/{address}"


def _check_keys(rest: str, keys: list[str]) -> None:
    """Refuse, unshown, keywords that may be pieces of a password that was not encoded."""
    authority, _, query = rest.partition("?")
    login_is_closed = "@" in authority or ":" not in authority
    if all(re.fullmatch(r"\w+", key) for key in keys) and login_is_closed and "@" not in query:
        return
    if not set(keys) <= UNDERSTOOD:
        raise DatabaseUrlError(
            "The database URL has a parameter that libpq does not know",
            "If a password or a value has ?, & or # in it, write %3F, %26 or %23",
        )


def _value(key: str, value: str, *, jdbc: bool) -> str:
    if jdbc or key == "options":
        value = value.replace("+", " ")
    return decode(value, f"parameter {key}")


def _joined(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Join `host=h1:1&host=h2:2`, SQLAlchemy's way to write several hosts; refuse other doubles."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if key == "host" and key in found:
            found[key] += f",{value}"
        elif found.setdefault(key, value) != value:
            raise DatabaseUrlError(f"The database URL gives {key} twice", "Keep one")
    return found


def _canonical_hosts(parameters: dict[str, str]) -> dict[str, str]:
    """Take the ports out of `host`, and give as many ports as hosts."""
    names, ports = [], []
    for item in parameters.get("host", "").split(","):
        name, _, port = item.partition(":")
        joined = item[:1] not in "/@" and item.count(":") == 1
        names.append(name if joined else item.strip("[]"))
        ports.append(port if joined else "")
    if not any(ports):
        ports = parameters.get("port", "").split(",")
    if len(ports) not in (1, len(names)) or not all(re.fullmatch("[0-9]*", port) for port in ports):
        raise DatabaseUrlError(
            "The ports in the database URL are not numbers, or not as many as its hosts", _EXAMPLE
        )
    if not all(_HOST.fullmatch(name) for name in names):
        raise DatabaseUrlError("The host in the database URL is no host name or address", _EXAMPLE)
    others = {key: value for key, value in parameters.items() if key not in ("host", "port")}
    if not any(names) and not any(ports):
        return others
    return others | {key: value for key, value in host_parameters(names, ports) if value}


def _ordered(parameters: dict[str, str]) -> tuple[tuple[str, str], ...]:
    first = ("user", "password", "host", "port", "dbname")
    names = [key for key in first if key in parameters]
    names += [key for key in parameters if key not in first]
    return tuple((key, parameters[key]) for key in names)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """The `key = value` pairs of a libpq connection string, by libpq's quoting rules."""
    word_at = re.compile(_WORD, re.DOTALL).match
    place, after_secret = 0, False
    while place < len(text.rstrip()):
        word = word_at(text, place)
        if word is None or (after_secret and word["key"] not in KNOWN_PARAMETERS):
            raise DatabaseUrlError(
                "The connection string cannot be read as key=value pairs",
                "Put a value with spaces, quotes or backslashes in single quotes, with \\ before "
                "each ' and \\ in it",
            )
        raw = word["bare"] if word["quoted"] is None else word["quoted"]
        yield word["key"], re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)
        after_secret = word["key"] in SECRET_PARAMETERS
        place = word.end()
