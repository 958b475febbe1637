"""Where the application connects, as its secrets are to say."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from pgmigrations.database_url import DatabaseUrl
from pgmigrations.deploy.secret import DEFAULT_PORT, Endpoint, is_port
from pgmigrations.errors import PgMigrationsError

_PLACE = re.compile(r"(?:\[(?P<address>[^]]*)\]|(?P<host>[\w.-]+))(?::(?P<port>\d+))?")
_ONE = "Set DB_PROXY to the host that the application connects to, or to host:port"


class NotConfigured(PgMigrationsError):
    """The environment lacks what a deployment needs."""


def endpoint_of(url: DatabaseUrl, environ: Mapping[str, str]) -> Endpoint:
    """Find out where the application connects: at `DB_PROXY`, else where the migrations go.

    Args:
        url: The database as the migrating role reaches it; what it leaves open, libpq's variables
            say.
        environ: The environment.

    Raises:
        NotConfigured: That is no one host, port and database, or only libpq knows them.
    """
    named = environ.get("DB_PROXY", "").strip()
    host, port = _proxy(named) if named else (_host(url, environ), None)
    database = url.database or environ.get("PGDATABASE", "")
    if not database and not _service(url, environ):
        database = url.user or environ.get("PGUSER", "")
    if not database:
        raise NotConfigured("Nothing names the application's database", "Set DB_NAME")
    return Endpoint(host, port or _port(url, environ), database)


def _proxy(text: str) -> tuple[str, int | None]:
    """Take `host`, `host:port`, an IPv6 address, or one in brackets with a port apart."""
    if _is_address(text):
        return text, None
    found = _PLACE.fullmatch(text)
    if found is None or (found["address"] and not _is_address(found["address"])):
        raise NotConfigured(f"DB_PROXY = {text} is no host", "Write host or host:port")
    port = found["port"]
    return found["address"] or found["host"], _number(
        port, "the port of DB_PROXY"
    ) if port else None


def _host(url: DatabaseUrl, environ: Mapping[str, str]) -> str:
    host = url.host or ""
    if not host and not _service(url, environ):
        host = environ.get("PGHOST", "")
        if not host and (url.libpq.get("hostaddr") or environ.get("PGHOSTADDR")):
            raise NotConfigured("Only the database's address is told, and no host", _ONE)
        host = host or "localhost"
    if not host:
        raise NotConfigured("The database's host is that of a service file", _ONE)
    if "," in host:
        raise NotConfigured(
            f"The database is at several hosts, {host}, and a secret of the application names one",
            _ONE,
        )
    return host


def _port(url: DatabaseUrl, environ: Mapping[str, str]) -> int:
    told = url.libpq.get("port") or environ.get("PGPORT", "").strip()
    return _number(told, f"PGPORT = {told}") if told else DEFAULT_PORT


def _service(url: DatabaseUrl, environ: Mapping[str, str]) -> str:
    return url.libpq.get("service") or environ.get("PGSERVICE", "")


def _number(text: str, what: str) -> int:
    if not is_port(text):
        raise NotConfigured(f"{what} is no port", "Set it to one number, or not at all")
    return int(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
