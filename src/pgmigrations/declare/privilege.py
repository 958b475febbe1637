"""The privileges that PostgreSQL knows, by what they are on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

PUBLIC = "public"
"""Every role there is, as a grantee."""

# PostgreSQL manual, 5.8 Privileges.
PRIVILEGES: dict[str, tuple[str, ...]] = {
    "table": (
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "TRUNCATE",
        "REFERENCES",
        "TRIGGER",
        "MAINTAIN",
    ),
    "sequence": ("USAGE", "SELECT", "UPDATE"),
    "schema": ("USAGE", "CREATE"),
    "database": ("CONNECT", "CREATE", "TEMPORARY"),
    "function": ("EXECUTE",),
    "type": ("USAGE",),
}


def checked(privileges: Iterable[str], on: str, where: str) -> tuple[str, ...]:
    """Return privileges as the server names them, each once, in the server's order.

    Args:
        privileges: Names, in any case.
        on: What they are on: a key of `PRIVILEGES`.
        where: Who says so, for the message.

    Raises:
        TypeError: It is one string.
        ValueError: There is no such privilege, with the nearest one.
    """
    if isinstance(privileges, str):
        raise TypeError(f"{where} takes several privileges: [{privileges!r}]")
    known = PRIVILEGES[on]
    wanted = set()
    for given in privileges:
        name = {"TEMP": "TEMPORARY"}.get(given.upper(), given.upper())
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            choice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            if name in ("ALL", "ALL PRIVILEGES"):
                choice = f"name them: {', '.join(known)} (MAINTAIN from PostgreSQL 17 on)"
                choice = choice if on == "table" else f"name them: {', '.join(known)}"
            raise ValueError(f"{where}: a {on} has no privilege {given!r}: {choice}")
        wanted.add(name)
    return tuple(name for name in known if name in wanted)
