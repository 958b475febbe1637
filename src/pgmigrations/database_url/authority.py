"""Split what follows `scheme://` into login, hosts, database and parameters.

A password is often pasted as it is, with `@`, `/`, `?`, `#` or `:` in it. So every `@` is tried as
the end of the login, and a reading counts when all that follows it is well formed. One reading
left: that is the URL. None, or several: an error that says what to encode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from pgmigrations.database_url.parameter import KNOWN_PARAMETERS
from pgmigrations.database_url.value import DatabaseUrlError

# A name, an IPv6 address in brackets, or a percent-encoded socket folder; each with its port.
_HOST = re.compile(
    r"(?:(?P<name>(?:[\w.-]|%[0-9A-Fa-f]{2})+)|\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\])"
    r"(?::(?P<port>[0-9]*))?"
)
_TAIL = re.compile(r"(?P<hosts>[^/?#@]*)(?:/(?P<database>[^/?#]*))?(?:\?(?P<query>[^#]*))?")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_PORT_LIMIT = 65535
ENCODING_HINT = (
    "In a user, password or database name write %40 for @, %2F for /, %3A for :, %3F for ?, "
    "%23 for # and %25 for %"
)


# Plain classes: importing dataclasses takes longer than reading any URL.
class Reading:
    """One way to read the text; values of `query` are still encoded, the others are plain."""

    __slots__ = ("parameters", "query")

    def __init__(
        self, parameters: tuple[tuple[str, str], ...], query: tuple[tuple[str, str], ...]
    ) -> None:
        self.parameters = parameters
        self.query = query


class _Split:
    __slots__ = ("database", "hosts", "login", "query")

    def __init__(self, login: str | None, hosts: str, database: str, query: str) -> None:
        self.login = login
        self.hosts = hosts
        self.database = database
        self.query = query

    @property
    def at_signs_are_values(self) -> bool:
        """Whether every further `@` sits in a value of a parameter that libpq knows."""
        keys = [part.partition("=")[0] for part in self.query.split("&")]
        return "@" not in self.database and all(key in KNOWN_PARAMETERS for key in keys)


def split_authority(rest: str) -> Reading:
    """Read `[user[:password]@][host[:port],...][/database][?parameter=value&...]`.

    Args:
        rest: The URL without its scheme and `//`.

    Raises:
        DatabaseUrlError: No reading is well formed, or more than one is.
    """
    splits = list(_splits(rest))
    if len(splits) > 1 and not splits[0].at_signs_are_values:
        raise DatabaseUrlError(
            "The database URL can be read in more than one way, because of the characters "
            "@ and / or ? in it",
            ENCODING_HINT,
        )
    if not splits:
        raise DatabaseUrlError(_complaint(rest), ENCODING_HINT)
    split = splits[0]
    parameters = list(_login(split.login))
    parameters += _hosts(split.hosts)
    if split.database:
        parameters.append(("dbname", decode(split.database, "database name")))
    query = (part.partition("=") for part in split.query.split("&") if part)
    return Reading(tuple(parameters), tuple((key, value) for key, _, value in query))


def decode(text: str, what: str) -> str:
    """Undo percent-encoding, leaving a `%` that starts no escape as it is.

    Args:
        text: As written in the URL.
        what: What it is, for messages.

    Raises:
        DatabaseUrlError: Parts look encoded and parts do not, or the bytes are not UTF-8.
    """
    escapes = len(_ESCAPE.findall(text))
    if not escapes:
        return _without_nul(text, what)
    if text.count("%") != escapes or (what in ("user", "password") and set(text) & set("@/?#")):
        raise DatabaseUrlError(
            f"The {what} in the database URL is percent-encoded in one place and not in another",
            ENCODING_HINT,
        )
    try:
        return _without_nul(unquote_to_bytes(text).decode(), what)
    except UnicodeDecodeError:
        raise DatabaseUrlError(
            f"The percent-encoding of the {what} in the database URL is not UTF-8",
            "If the % is meant as it is, write %25",
        ) from None


def _without_nul(text: str, what: str) -> str:
    if "\0" in text:
        raise DatabaseUrlError(f"The {what} in the database URL holds a zero byte", "Remove it")
    return text


def _splits(rest: str) -> Iterator[_Split]:
    ends = [None, *(place for place, char in enumerate(rest) if char == "@")]
    for end in ends:
        login = None if end is None else rest[:end]
        tail = _TAIL.fullmatch(rest if end is None else rest[end + 1 :])
        if tail is None or not _login_is_plain(login):
            continue
        hosts, database, query = (tail[name] or "" for name in ("hosts", "database", "query"))
        if _hosts_are_plain(hosts) and all("=" in part for part in query.split("&") if part):
            yield _Split(login, hosts, database, query)


def _login_is_plain(login: str | None) -> bool:
    return login is None or not set(login.partition(":")[0]) & set("/?#")


def _hosts_are_plain(hosts: str) -> bool:
    parts = [_HOST.fullmatch(part) for part in hosts.split(",")]
    if not hosts or all(parts):
        return all(int(part["port"] or 0) <= _PORT_LIMIT for part in parts if part)
    return re.fullmatch(r":[0-9]{1,5}", hosts) is not None


def _login(login: str | None) -> Iterator[tuple[str, str]]:
    user, _, password = (login or "").partition(":")
    if user:
        yield "user", decode(user, "user")
    if password:
        yield "password", decode(password, "password")


def _hosts(text: str) -> list[tuple[str, str]]:
    if text.startswith(":"):
        return [("port", text[1:])]
    parts = [part for part in (_HOST.fullmatch(item) for item in text.split(",")) if part]
    names = [decode(part["name"] or part["ipv6"], "host") for part in parts]
    return host_parameters(names, [part["port"] or "" for part in parts])


def host_parameters(names: list[str], ports: list[str]) -> list[tuple[str, str]]:
    """The parameters `host` and `port` for servers that are tried in turn.

    Args:
        names: Host names, addresses or socket folders.
        ports: The port of each, empty for the default; one for all is repeated for each.
    """
    if len(ports) == 1:
        ports = ports * len(names)
    pairs = [("host", ",".join(names))] if names else []
    return pairs + ([("port", ",".join(ports))] if any(ports) else [])


def _complaint(rest: str) -> str:
    """What is wrong, in words that repeat nothing of the text."""
    if "@" not in rest:
        return (
            "The database URL has no well-formed host: either its port is no number up to "
            "65535, or a password is not followed by @host, or its path or parameters are broken"
        )
    path = rest.rpartition("@")[2].partition("?")[0]
    if path.count("/") > 1:
        return (
            "The database URL has more than one / after the host (a socket folder is written "
            "as the parameter host: postgresql://user@/database?host=/folder)"
        )
    return (
        "The database URL cannot be read: after the last @ there must be host, optional :port, "
        "optional /database, optional ?parameter=value"
    )
