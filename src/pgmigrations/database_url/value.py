"""A database URL once it is understood: libpq's parameters, and the forms derived from them."""

from __future__ import annotations

from urllib.parse import quote, unquote

from pgmigrations.errors import PgMigrationsError

TYPE_CHECKING = False  # Importing `typing` takes longer than reading any URL.
if TYPE_CHECKING:
    from typing import Any

SECRET_PARAMETERS = frozenset(
    {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)
HIDDEN = "***"


class DatabaseUrlError(PgMigrationsError):
    """The text is no URL of a PostgreSQL database that can be understood.

    The message never repeats a part of the text that may belong to a password.
    """


class DatabaseUrl:
    """One PostgreSQL database, as libpq's connection parameters.

    `str()` and `repr()` hide the password; only `sqlalchemy`, `libpq` and `password` hold it.

    Args:
        parameters: libpq's keywords with their values, unquoted, each keyword once; several hosts
            are one value with commas, as libpq takes them. Empty: libpq's defaults and the `PG*`
            variables decide.
    """

    __slots__ = ("_parameters",)

    def __init__(self, parameters: tuple[tuple[str, str], ...] = ()) -> None:
        self._parameters = parameters

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The keywords of libpq with their values, in order."""
        return self._parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DatabaseUrl):
            return NotImplemented
        return self._parameters == other._parameters

    def __hash__(self) -> int:
        return hash(self._parameters)

    @property
    def libpq(self) -> dict[str, Any]:
        """The keyword arguments for `psycopg2.connect`, password included; every value is text."""
        return dict(self.parameters)

    @property
    def host(self) -> str | None:
        """Host name, address or socket folder; several are separated by commas."""
        return self._get("host")

    @property
    def port(self) -> int | None:
        """The TCP port; None when it is not given, or differs between several hosts."""
        ports = set((self._get("port") or "").split(","))
        only = ports.pop()
        return int(only) if only and not ports else None

    @property
    def user(self) -> str | None:
        """The role that logs in; None when the environment or the system user decides."""
        return self._get("user")

    @property
    def password(self) -> str | None:
        """The password in clear text."""
        return self._get("password")

    @property
    def database(self) -> str | None:
        """The database's name, unquoted; None when libpq's default decides."""
        return self._get("dbname")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that no message may show."""
        return tuple(value for key, value in self.parameters if key in SECRET_PARAMETERS and value)

    def with_database(self, name: str) -> DatabaseUrl:
        """The same server, user and parameters, another database.

        Args:
            name: The database's name, unquoted.
        """
        kept = tuple(pair for pair in self.parameters if pair[0] != "dbname")
        return DatabaseUrl((*kept, ("dbname", name)))

    @property
    def sqlalchemy(self) -> str:
        """The URL for SQLAlchemy's `create_engine`, password included.

        SQLAlchemy 2.1 decodes `%20` in the database's name and 2.0 does not, so a name that the
        two would read differently is written as the parameter `dbname`. `URL.set(database=...)`
        does not replace that one: use `with_database`.
        """
        name = self.database or ""
        readable = unquote(name) == name and not set(name) & set("?#/@")
        return self._render("postgresql+psycopg2", name if readable else None, hide=False)

    @property
    def display(self) -> str:
        """The URL for people, with every secret hidden."""
        return self._render("postgresql", quote(self.database or "", safe=" '"), hide=True)

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.display!r})"

    def __str__(self) -> str:
        return self.display

    def _get(self, key: str) -> str | None:
        return dict(self.parameters).get(key) or None

    def _render(self, scheme: str, path: str | None, *, hide: bool) -> str:
        rest = dict(self.parameters)
        user, password = rest.pop("user", ""), rest.pop("password", "")
        login = quote(user, safe="")
        if password:
            login += ":" + (HIDDEN if hide else quote(password, safe=""))
        host, port = rest.get("host", ""), rest.get("port", "")
        authority = ""
        if host and not set(host) & set(",/@%"):
            authority = f"[{host}]" if ":" in host else quote(host, safe="")
            authority += f":{port}" if port else ""
            rest.pop("host"), rest.pop("port", None)
        if path is not None:
            rest.pop("dbname", None)
        text = f"{scheme}://{login}{'@' if login else ''}{authority}"
        text += f"/{path}" if path or rest else ""
        return text + ("?" + "&".join(_pairs(rest, hide=hide)) if rest else "")


def _pairs(parameters: dict[str, str], *, hide: bool) -> list[str]:
    return [
        f"{key}={HIDDEN}"
        if hide and key in SECRET_PARAMETERS
        else f"{key}={quote(value, safe='/,:')}"
        for key, value in parameters.items()
    ]
