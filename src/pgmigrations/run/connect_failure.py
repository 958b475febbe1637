"""Recognise why no session could be had.

libpq gives no SQLSTATE when connecting fails, so its words, and those of the server that it passes
on, are all there is. The server writes them in its `lc_messages`, which nothing can change before
the login, and the operating system's part in the client's locale. A message in another language
is therefore shown as it is, as a `ConnectionFailure`, with where it happened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgmigrations.run import failure_kind as kinds
from pgmigrations.run.evidence import Evidence

_PLACE = re.compile(
    r'connection to server (?:at|on socket) "(?P<host>[^"]+)"'
    r"(?: \((?P<address>[^)]+)\))?(?:, port (?P<port>[0-9,]+))?"
)
_ROLE = re.compile(r'(?:user|role) "([^"]*)"')
_DATABASE = re.compile(r'database:? "([^"]*)"')


@dataclass(frozen=True)
class _Sign:
    pattern: str
    kind: type[kinds.ConnectionFailure]
    summary: str
    hint: str


# In this order: with several addresses the message holds one line for each, and what a server
# answered says more than that another address did not.
_SIGNS = (
    _Sign(
        # The last three are PgBouncer's and RDS Proxy's.
        "password authentication failed|authentication failed for user|SCRAM exchange|"
        "SASL authentication failed|no such user|no credentials for the role",
        kinds.WrongPassword,
        'Wrong password, or no such role, for user "{user}" at {place}',
        "Correct the user and the password in DATABASE_URL (or PGUSER and PGPASSWORD)",
    ),
    _Sign(
        "no password supplied",
        kinds.WrongPassword,
        'No password given for user "{user}" at {place}',
        "Put it in DATABASE_URL, PGPASSWORD or ~/.pgpass",
    ),
    _Sign(
        r"role \"[^\"]*\" does not exist",
        kinds.WrongPassword,
        'Role "{user}" does not exist at {place}',
        "Correct the user in DATABASE_URL, or create the role",
    ),
    _Sign(
        "is not permitted to log in",
        kinds.WrongPassword,
        'Role "{user}" may not log in at {place}',
        'ALTER ROLE "{user}" LOGIN, or use another role',
    ),
    _Sign(
        r"database \"[^\"]*\" does not exist|no such database",
        kinds.DatabaseMissing,
        'Database "{database}" does not exist at {place}',
        'Create it (CREATE DATABASE "{database}"), or correct the name in DATABASE_URL',
    ),
    _Sign(
        "too many clients|too many connections|connection slots are reserved|no more connections",
        kinds.TooManyConnections,
        "The server at {place} has no connection left",
        "Close other connections, or raise max_connections (or the role's connection limit)",
    ),
    _Sign(
        "database system is shutting down",
        kinds.ServerShuttingDown,
        "The server at {place} is shutting down",
        "Try again when it is back",
    ),
    _Sign(
        "database system is (starting up|in recovery|not (yet )?accepting)",
        kinds.ServerStarting,
        "The server at {place} is starting up",
        "Try again in a moment",
    ),
    _Sign(
        # With sslmode=prefer libpq tries both ways, and the text then tells of both.
        r"^(?!.*SSL encryption).*pg_hba\.conf.*no encryption",
        kinds.TlsFailure,
        'The server at {place} refuses an unencrypted connection for user "{user}"',
        "Add ?sslmode=require to the URL, or a line for it to the server's pg_hba.conf",
    ),
    _Sign(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        kinds.WrongPassword,
        'The server at {place} does not let user "{user}" in from this address',
        "Add a line for this user, database and address to the server's pg_hba.conf",
    ),
    _Sign(
        "session is (not )?read-only|server is (not )?in hot standby",
        kinds.ConnectionFailure,
        "No server at {place} is of the kind that target_session_attrs asks for",
        "Connect to the primary server, or correct target_session_attrs",
    ),
    _Sign(
        "server does not support SSL",
        kinds.TlsFailure,
        "The server at {place} does not offer TLS, but the URL requires it",
        "Turn TLS on at the server, or set sslmode=prefer in the URL",
    ),
    _Sign(
        "root certificate file",
        kinds.TlsFailure,
        "The certificate of the server at {place} cannot be checked without a root certificate",
        "Give its file as sslrootcert=/path/ca.pem (sslrootcert=system for public authorities)",
    ),
    _Sign(
        "certificate verify failed|server certificate for|certificate|SSL error|SSL SYSCALL",
        kinds.TlsFailure,
        "TLS with the server at {place} failed",
        "Check sslmode, sslrootcert and the host name against the server's certificate",
    ),
    _Sign(
        "could not translate host name",
        kinds.ServerUnreachable,
        "The host name {place} is not known",
        "Correct the host in DATABASE_URL, or check the name service",
    ),
    _Sign(
        r"on socket .*(No such file|refused|Permission denied)",
        kinds.ServerUnreachable,
        "No server listens on the socket {place}",
        "Start the server, or name its folder or host in DATABASE_URL (or PGHOST)",
    ),
    _Sign(
        "timeout expired|timed out",
        kinds.ServerUnreachable,
        "The server at {place} does not answer in time",
        "Check host, port, firewall and security group; connect_timeout in the URL allows more",
    ),
    _Sign(
        "refused|unreachable|No route to host|reset by peer|server closed the connection|"
        "invalid response to SSL negotiation|Broken pipe",
        kinds.ServerUnreachable,
        "No PostgreSQL server answers at {place}",
        "Start it, or correct host and port in DATABASE_URL",
    ),
)


def connect_failure(facts: Evidence) -> kinds.DatabaseFailure:
    """The failure that a message of libpq's about connecting tells of.

    Args:
        facts: What is known about the error.
    """
    last = facts.text.rpartition("FATAL:")[2].strip() or facts.text
    denied = "permission denied for database" in facts.text
    sign = next((sign for sign in _SIGNS if re.search(sign.pattern, facts.text)), None)
    names = {"user": facts.user, "database": facts.database, "place": _place(facts)}
    if found := _ROLE.search(last):
        names["user"] = facts.user or found[1]
    if found := _DATABASE.search(last):
        names["database"] = facts.database or found[1]
    if denied:
        grant = (
            f"GRANT CONNECT ON DATABASE {_quoted(names['database'])} TO {_quoted(names['user'])}"
        )
        return kinds.PrivilegeMissing(
            f'User "{names["user"]}" may not connect to database "{names["database"]}" '
            f"at {names['place']}",
            f"{grant}, or use another role",
            subject=names["database"],
            grant=grant,
        )
    if sign is None:
        return kinds.ConnectionFailure(
            f"No connection to the server at {names['place']}: {_short(last)}",
            "Check DATABASE_URL, and the server's log",
        )
    subject = {kinds.WrongPassword: names["user"], kinds.DatabaseMissing: names["database"]}
    return sign.kind(
        f"{sign.summary.format(**names)}: {_short(last)}",
        sign.hint.format(**names),
        sqlstate=facts.sqlstate,
        subject=subject.get(sign.kind),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _place(facts: Evidence) -> str:
    places = [
        ":".join(filter(None, found.group("host", "port"))) for found in _PLACE.finditer(facts.text)
    ]
    unknown = re.search(r'host name "([^"]+)"', facts.text)
    named = ", ".join(dict.fromkeys(places)) or (unknown[1] if unknown else "")
    return named or facts.address or "libpq's default address"


def _short(text: str) -> str:
    """The reason alone: the place is told already, and libpq's question adds nothing."""
    reason = re.split(r" failed: ", text)[-1]
    return re.split(r" Is the server running| This probably means| Either provide", reason)[
        0
    ].strip(" .")
