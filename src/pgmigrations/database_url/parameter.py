"""The parameters of a URL: libpq's own, and what other drivers and tools write instead.

libpq's keywords: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pgmigrations.database_url.value import DatabaseUrlError

_LIBPQ_KEYWORDS = """
application_name channel_binding client_encoding connect_timeout dbname
fallback_application_name gssdelegation gssencmode gsslib host hostaddr keepalives
keepalives_count keepalives_idle keepalives_interval krbsrvname load_balance_hosts
max_protocol_version min_protocol_version oauth_client_id oauth_client_secret oauth_issuer
oauth_scope options passfile password port require_auth requirepeer scram_client_key
scram_server_key service servicefile ssl_max_protocol_version ssl_min_protocol_version sslcert
sslcertmode sslcompression sslcrl sslcrldir sslkey sslkeylogfile sslmode sslnegotiation
sslpassword sslrootcert sslsni target_session_attrs tcp_user_timeout user
"""
KNOWN_PARAMETERS = frozenset(_LIBPQ_KEYWORDS.split())
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# asyncpg's `ssl`, and true/false as libpq itself reads `ssl=true` for JDBC's sake; `no-verify` is
# node-postgres', the last two are Prisma's `sslaccept`.
_SSL_WORDS = {
    **{mode: mode for mode in _SSLMODES},
    **dict.fromkeys(("true", "1", "on", "no-verify", "accept_invalid_certs"), "require"),
    **dict.fromkeys(("false", "0", "off"), "disable"),
    "strict": "verify-full",
}
_SYNONYMS = {
    "database": "dbname",
    "username": "user",
    "ApplicationName": "application_name",
    "connectTimeout": "connect_timeout",
    "loginTimeout": "connect_timeout",
    "timeout": "connect_timeout",
    "passwd": "password",
    "schema": "search_path",
    "currentSchema": "search_path",
    "targetServerType": "target_session_attrs",
    "direct_tls": "sslnegotiation",
}
_JDBC_SERVERS = {"master": "primary", "secondary": "standby", "preferSecondary": "prefer-standby"}
# Settings of the server that asyncpg (any parameter it does not know) and others take in a URL.
_SETTING_WORDS = """
idle_in_transaction_session_timeout jit lock_timeout role search_path statement_timeout timezone
TimeZone
"""
_SERVER_SETTINGS = frozenset(_SETTING_WORDS.split())
# They tune another driver's cache or pool; where, who and how safely is not touched by them.
_OTHER_WORDS = """
async_fallback binary_parameters command_timeout connection_limit max_cacheable_statement_size
max_cached_statement_lifetime max_size min_size pgbouncer pool pool_max_conns pool_max_size
pool_min_size pool_size pool_timeout prepareThreshold prepare_threshold
prepared_statement_cache_size preparedStatementCacheQueries reWriteBatchedInserts record_class
socketTimeout socket_timeout statement_cache_size stringtype supa tcpKeepAlive uselibpqcompat
"""
_OF_OTHER_DRIVERS = frozenset(_OTHER_WORDS.split())
UNDERSTOOD = (
    KNOWN_PARAMETERS
    | _SERVER_SETTINGS
    | _OF_OTHER_DRIVERS
    | set(_SYNONYMS)
    | {
        "ssl",
        "sslaccept",
    }
)


def translate(pairs: Iterable[tuple[str, str]], *, jdbc: bool = False) -> dict[str, str]:
    """Give libpq's parameters for those of a URL, values decoded, empty ones left out.

    Args:
        pairs: Keyword and decoded value, in the order of the URL.
        jdbc: Whether the URL is JDBC's, whose driver verifies the certificate for `ssl=true`.

    Raises:
        DatabaseUrlError: A parameter is unknown, contradicts another, or has no translation.
    """
    found: dict[str, str] = {}
    settings: list[str] = []
    for written, value in pairs:
        if written in _OF_OTHER_DRIVERS or not value:
            continue
        key, value = _translate_one(written, value, jdbc=jdbc)
        if key in _SERVER_SETTINGS:
            escaped = value.replace("\\", "\\\\").replace(" ", "\\ ")
            settings.append(f"-c {key}={escaped}")
        elif found.setdefault(key, value) != value:
            raise DatabaseUrlError(
                f"The database URL gives {key} twice, with different values",
                f"Keep one{'' if written == key else f' ({written} means {key})'}",
            )
    if settings:
        found["options"] = " ".join(filter(None, [found.get("options"), *settings]))
    return found


def _translate_one(written: str, value: str, *, jdbc: bool) -> tuple[str, str]:
    key = _SYNONYMS.get(written, written)
    if key in ("ssl", "sslmode", "sslaccept"):
        return "sslmode", _sslmode(written, value, jdbc=jdbc)
    if key == "connect_timeout":
        return key, _whole_seconds(written, value)
    if key == "target_session_attrs":
        return key, _JDBC_SERVERS.get(value, value)
    if key == "sslnegotiation" and written == "direct_tls":
        return key, "direct" if value.lower() in ("true", "1", "on") else "postgres"
    if key in KNOWN_PARAMETERS or key in _SERVER_SETTINGS:
        return key, value
    if key == "server_settings":
        raise DatabaseUrlError(
            "The database URL has server_settings, which no URL can carry",
            "Write options=-c%20name%3Dvalue instead",
        )
    raise DatabaseUrlError(
        f"The database URL has the parameter {written!r}, which libpq does not know",
        _nearest(written),
    )


def _sslmode(written: str, value: str, *, jdbc: bool) -> str:
    if jdbc and written == "ssl" and value.lower() == "true":
        return "verify-full"
    mode = _SSL_WORDS.get(value.lower())
    if mode is None:
        raise DatabaseUrlError(
            f"The database URL has {written} with an unknown value",
            f"It is one of {', '.join(_SSLMODES)}",
        )
    return mode


def _whole_seconds(written: str, value: str) -> str:
    try:
        return str(math.ceil(float(value)))
    except (ValueError, OverflowError):
        raise DatabaseUrlError(
            f"The database URL has {written} with a value that is no number of seconds",
            "Write it like connect_timeout=5",
        ) from None


def _nearest(written: str) -> str:
    import difflib

    known = sorted(KNOWN_PARAMETERS | _SERVER_SETTINGS | set(_SYNONYMS))
    near = difflib.get_close_matches(written, known, n=1)
    meant = f"Did you mean {near[0]}? If not, remove" if near else "Remove"
    return f"{meant} it, or give a server setting as options=-c%20name%3Dvalue"
