"""A login as an application is given it, and what keeps such secrets."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pgmigrations.errors import PgMigrationsError

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_LENGTH = 32
DEFAULT_PORT = 5432
_LARGEST_PORT, _DIGITS = 65535, 5
_MOST_BITS = 1024
_FIELDS = ("username", "password", "host", "port", "dbname")


class SecretUnusable(PgMigrationsError):
    """What is kept under a name is no login; the message holds nothing of it."""


class SecretStoreFailure(PgMigrationsError):
    """The store of the secrets refuses, or does not answer.

    Attributes:
        reason: The store's own word for it, such as `AccessDeniedException`.
    """

    def __init__(self, what: str, hint: str = "", *, reason: str = "") -> None:
        super().__init__(what, hint)
        self.reason = reason


@dataclass(frozen=True)
class Endpoint:
    """Where an application connects.

    Attributes:
        host: Host name.
        port: TCP port.
        dbname: The database, unquoted.
    """

    host: str
    port: int
    dbname: str


class Secret:
    """A login with its place, as Secrets Manager keeps it for PostgreSQL; `repr()` hides it.

    Args:
        fields: `username`, `password`, `host`, `port`, `dbname`; any others are kept as they are.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)

    @classmethod
    def parse(cls, text: str, name: str) -> Secret:
        """Read the JSON of a secret.

        Args:
            text: An object with `username` and `password`.
            name: The secret's name, for the message.

        Raises:
            SecretUnusable: It is something else.
        """
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            # Neither the text nor the parser's error, which quotes it, may be shown.
            raise SecretUnusable(
                f"The secret {name} is no JSON object",
                "A login is kept as username, password, host, port, dbname",
            ) from None
        wrong = [key for key in _FIELDS if not _fits(key, fields.get(key))]
        if wrong:
            raise SecretUnusable(
                f"{', '.join(wrong)} of the secret {name} is nothing that can be sent to a server",
                "Texts without a zero byte, and a port from 1 to 65535, can be",
            )
        return cls(fields)

    @property
    def text(self) -> str:
        """The JSON to keep, password included."""
        return json.dumps(self.fields)

    @property
    def username(self) -> str:
        """The role that logs in; empty where there is none."""
        return str(self.fields.get("username") or "")

    @property
    def password(self) -> str:
        """The password in clear text; empty where there is none."""
        return str(self.fields.get("password") or "")

    @property
    def host(self) -> str:
        """Where the application connects; empty where it is not told."""
        return str(self.fields.get("host") or "")

    @property
    def port(self) -> int:
        """The TCP port, 5432 where it is not told."""
        return int(self.fields.get("port") or DEFAULT_PORT)

    @property
    def dbname(self) -> str:
        """The database, unquoted; empty where it is not told."""
        return str(self.fields.get("dbname") or "")

    def is_at(self, endpoint: Endpoint) -> bool:
        """Whether it leads there."""
        return Endpoint(self.host, self.port, self.dbname) == endpoint

    def at(self, endpoint: Endpoint) -> Secret:
        """The same login, at another place."""
        place = {"host": endpoint.host, "port": endpoint.port, "dbname": endpoint.dbname}
        return Secret(self.fields | place)

    def with_login(self, username: str, password: str) -> Secret:
        """Another login, at the same place."""
        return Secret(self.fields | {"username": username, "password": password})

    def has_login_of(self, other: Secret) -> bool:
        """Whether both log in with the same name and password."""
        return (self.username, self.password) == (other.username, other.password)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Secret(username={self.username!r}, password=***)"


@dataclass(frozen=True)
class Version:
    """One version of a secret.

    Attributes:
        id: The store's name of it.
        secret: What it holds.
        created: When it was made; None where the store does not say.
        is_pending: Whether it is also the pending one, as it is after a rotation has ended.
    """

    id: str
    secret: Secret
    created: datetime | None = None
    is_pending: bool = False


class SecretStore(Protocol):
    """What keeps secrets: a current version of each, which applications read, and a pending one."""

    def current(self, name: str) -> Version | None:
        """The version that applications read; None where the secret has none yet."""
        ...

    def pending(self, name: str) -> Version | None:
        """The version that is to become current; None where none is under way."""
        ...

    def put_pending(self, name: str, secret: Secret, token: str) -> str:
        """Keep a new pending version, instead of any other, and return its id.

        Args:
            name: The secret's.
            secret: What it is to hold.
            token: The id that it gets where the store lets one choose; the same token with the
                same secret once more changes nothing.
        """
        ...

    def promote(self, name: str, version: str, current: str) -> None:
        """Make the pending version the one that applications read, in one step.

        Args:
            name: The secret's.
            version: The pending version's id.
            current: The id of the version that is current until then; empty for none.
        """
        ...


def is_port(text: str) -> bool:
    """Whether a text is the number of a TCP port."""
    return text.isdecimal() and len(text) <= _DIGITS and 0 < int(text) <= _LARGEST_PORT


def _fits(field: str, value: object) -> bool:
    if value is None or value == "":
        return True
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Python itself refuses to write the longest.
        return False
    text = str(value)
    if field == "port":
        return is_port(text)
    return "\0" not in text and text.encode(errors="ignore").decode() == text


def new_password() -> str:
    """A password that is quoted nowhere and guessed by nobody: 32 letters and digits, 190 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))
