"""What is known about a driver's error, gathered once, with every secret taken out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from pgmigrations.database_url import DatabaseUrl

_STATEMENT_LIMIT = 120
# A literal after PASSWORD is hidden in the statement that is shown; nothing is decided by it.
_PASSWORD_LITERAL = re.compile(
    r"""(?P<before>password\s*=?\s*)
    (?:E?'(?:[^'\\]|''|\\.)*'? | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | (?<==)[^\s'&]+)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_PASSWORD_IN_URL = re.compile(r"(://[^:@/\s']*:)[^@\s']+(?=@)")
_SHORT_SECRET = 4
# psycopg2's `connection.closed`: 1 is closed by this side, 2 is broken.
_BROKEN = 2
# What libpq says about a session that it had; while connecting, it names the server first.
_LOST = re.compile(
    "server closed the connection|connection (already |has been )?closed|could not receive data|"
    "could not send data|no connection to the server|SSL (connection|SYSCALL)|terminating conn"
)
_READS_ONLY = ("in_hot_standby", "default_transaction_read_only")


@dataclass(frozen=True)
class Evidence:
    """The facts of one error; every text is one line and holds no secret.

    Args:
        text: The driver's message.
        primary: The server's first line; the driver's message where the server gave none.
        detail: The server's DETAIL.
        advice: The server's HINT.
        sqlstate: The server's code.
        statement: The start of the statement.
        server_version: Like 150018; 0 when unknown.
        settings: What the server reported about being read only, by parameter name.
        closed: Whether the session is gone.
        connecting: Whether the error came from connecting: no session, no code of the server's.
        user: The role of the session, else of the URL.
        database: The database of the session, else of the URL.
        address: Host and port of the URL, or the socket folder.
    """

    text: str
    primary: str
    detail: str
    advice: str
    sqlstate: str | None
    statement: str
    server_version: int
    settings: tuple[tuple[str, str], ...]
    closed: bool
    connecting: bool
    user: str
    database: str
    address: str


def gather(error: BaseException, url: DatabaseUrl | None) -> Evidence:
    """Collect the facts of an error of psycopg2's or, around it, SQLAlchemy's.

    Args:
        error: The error as it was caught.
        url: Where the connection went, for names and for the secrets to hide.
    """
    driver: BaseException = error
    statement = ""
    while isinstance(inner := getattr(driver, "orig", None), BaseException):
        statement = statement or str(getattr(driver, "statement", None) or "")
        driver = inner
    cursor = getattr(driver, "cursor", None)
    statement = statement or _query(cursor)
    connection = getattr(cursor, "connection", None)
    info = getattr(connection, "info", None)
    diag = getattr(driver, "diag", None)
    sqlstate = getattr(driver, "pgcode", None)
    known = url or DatabaseUrl()

    def said(name: str) -> str:
        return clean(getattr(diag, name, None) or "", url)

    text = clean(str(driver), url)
    lost = getattr(connection, "closed", 0) == _BROKEN or _LOST.match(text) is not None
    operational = any(kind.__name__ == "OperationalError" for kind in type(driver).__mro__)
    return Evidence(
        text=text,
        primary=said("message_primary") or _first_line(str(driver), url),
        detail=said("message_detail"),
        advice=said("message_hint"),
        sqlstate=sqlstate,
        statement=_start(statement, url),
        server_version=int(getattr(info, "server_version", 0) or 0),
        settings=tuple((name, _status(info, name)) for name in _READS_ONLY),
        closed=lost,
        connecting=operational and sqlstate is None and connection is None and not lost,
        user=str(getattr(info, "user", None) or known.user or os.environ.get("PGUSER", "")),
        database=str(getattr(info, "dbname", None) or known.database or ""),
        address=_address(known),
    )


def clean(text: str, url: DatabaseUrl | None) -> str:
    """Text as one line, without the password in any of its written forms.

    Args:
        text: What the server, the driver or a caller said.
        url: Its secrets are hidden; `PGPASSWORD` is hidden too.
    """
    secrets = {*(url.secrets if url else ()), os.environ.get("PGPASSWORD", "")} - {""}
    forms = {
        form
        for secret in secrets
        for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    }
    names = {url.user, url.database, url.host} if url else set()
    for form in sorted(forms, key=len, reverse=True):
        text = _hide(form, text, is_name=form in names)
    return " ".join(text.split())


def _hide(form: str, text: str, *, is_name: bool) -> str:
    pattern = re.escape(form)
    if is_name:
        # postgres:postgres@host/postgres: the word alone tells nothing, and messages need it.
        pattern = rf"(?<=:){pattern}(?=@)|(?<=password=){pattern}"
    elif len(form) < _SHORT_SECRET:
        # A password of one to three characters would otherwise tear ordinary words apart.
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return re.sub(pattern, "***", text)


def _first_line(text: str, url: DatabaseUrl | None) -> str:
    return clean(text.strip().partition("\n")[0], url)


def _start(statement: str, url: DatabaseUrl | None) -> str:
    hidden = _PASSWORD_LITERAL.sub(r"\g<before>'***'", statement)
    line = clean(_PASSWORD_IN_URL.sub(r"\1***", hidden), url)
    return line if len(line) <= _STATEMENT_LIMIT else line[:_STATEMENT_LIMIT].rstrip() + "…"


def _query(cursor: object) -> str:
    query = getattr(cursor, "query", None)
    return query.decode(errors="replace") if isinstance(query, bytes) else ""


def _status(info: object, name: str) -> str:
    ask = getattr(info, "parameter_status", None)
    return str(ask(name) or "") if ask else ""


def _address(url: DatabaseUrl) -> str:
    host = url.host or os.environ.get("PGHOST", "")
    hosts = host.split(",") if host else []
    ports = url.libpq.get("port", "").split(",") * (len(hosts) if url.port else 1)
    pairs = zip(hosts, ports + [""] * len(hosts), strict=False)
    return ", ".join(f"{name}:{port}" if port else name for name, port in pairs)
