"""The declaration of an extension."""

from __future__ import annotations

from dataclasses import dataclass

from pgmigrations.declare.declaration import Declaration


@dataclass(frozen=True)
class Extension(Declaration):
    """An extension that the database shall have.

    Example:
        >>> Extension("vector", schema="extensions", version="0.8.0")
        Extension(name='vector', schema='extensions', version='0.8.0')

    Args:
        name: As in `CREATE EXTENSION`, unquoted.
        schema: Where its objects live; None leaves that to the server and is never compared.
        version: The version wanted; None takes the server's default and is never compared.
    """

    name: str
    schema: str | None = None
    version: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Extension() needs a name, such as Extension('vector')")
