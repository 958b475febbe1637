"""The definition of an index as the server prints it, taken apart where the names end."""

from __future__ import annotations

from dataclasses import dataclass

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import identifier, qualified

_STARTS = (("CREATE UNIQUE INDEX ", True), ("CREATE INDEX ", False))


class UnreadableDefinition(PgMigrationsError):
    """A definition of another form than the server prints."""

    def __init__(self, definition: str) -> None:
        super().__init__(
            f"The definition of an index has another form than pg_get_indexdef() prints: "
            f"{definition}",
            "Write it as CREATE [UNIQUE] INDEX name ON schema.table USING method (…)",
        )
        self.definition = definition


@dataclass(frozen=True)
class Definition:
    """An index without its name.

    Attributes:
        is_unique: Whether it is UNIQUE.
        table: The table's name, unquoted.
        body: All from USING on.
    """

    is_unique: bool
    table: str
    body: str

    @classmethod
    def parse(cls, text: str) -> Definition:
        """Read what `pg_get_indexdef()` prints; only names stand before USING.

        Raises:
            UnreadableDefinition: It has another form.
        """
        for start, is_unique in _STARTS:
            if text.startswith(start):
                _, rest = _name(text, text[len(start) :])
                rest = _after(text, rest, " ON ").removeprefix("ONLY ")
                table, rest = _name(text, rest)
                if rest.startswith("."):
                    table, rest = _name(text, rest[1:])
                return cls(is_unique, table, "USING " + _after(text, rest, " USING "))
        raise UnreadableDefinition(text)

    def statement(self, schema: str | None, name: str) -> str:
        """Write the statement that makes it on its table."""
        start = "CREATE UNIQUE INDEX" if self.is_unique else "CREATE INDEX"
        return f"{start} {identifier(name)} ON {qualified(schema, self.table)} {self.body}"

    @property
    def probe(self) -> str:
        """The statement that makes it on an empty copy of its table."""
        start = "CREATE UNIQUE INDEX" if self.is_unique else "CREATE INDEX"
        return f"{start} pgm_probe ON pg_temp.pgm_copy {self.body}"


def _after(whole: str, rest: str, expected: str) -> str:
    if not rest.startswith(expected):
        raise UnreadableDefinition(whole)
    return rest[len(expected) :]


def _name(whole: str, rest: str) -> tuple[str, str]:
    """Read a name, quoted or not, and return what follows it."""
    if not rest.startswith('"'):
        size = next((place for place, sign in enumerate(rest) if sign in " ."), 0)
        if not size:
            raise UnreadableDefinition(whole)
        return rest[:size], rest[size:]
    end = 1
    while True:
        end = rest.find('"', end)
        if end < 0:
            raise UnreadableDefinition(whole)
        if not rest.startswith('""', end):
            return rest[1:end].replace('""', '"'), rest[end + 1 :]
        end += 2
