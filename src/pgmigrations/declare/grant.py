"""The declarations of privileges: on what is there, and on what a role will make."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from pgmigrations.declare.declaration import Declaration
from pgmigrations.declare.privilege import PUBLIC, checked


class Every(enum.Enum):
    """All that the models declare, of a sort."""

    DECLARED = "every declared one"

    def __repr__(self) -> str:
        return "EVERY"


EVERY = Every.DECLARED
"""All tables, or all sequences, that the models declare."""

DEFAULT_ON = {"tables": "table", "sequences": "sequence", "functions": "function", "types": "type"}


@dataclass(frozen=True)
class Grant(Declaration):
    """Privileges that a role shall have; those of several grants on one object add up.

    A role that is declared has no privileges on what the models declare but these: others are
    revoked. Of a role that is only named here (`public`, one of the provider's), only the objects
    that are named with it are looked at. Nothing else is touched.

    Example:
        >>> Grant(["SELECT", "INSERT"], to="readwrite", tables=EVERY).privileges
        ('SELECT', 'INSERT')
        >>> Grant(["CONNECT"], to="readwrite", database=True).tables
        ()

    Args:
        privileges: Their names. What ALL means differs between the versions of PostgreSQL.
        to: The role; `public` is every role there is.
        tables: Names of tables, or EVERY declared one of `schema`.
        sequences: Names of sequences, or EVERY declared one of `schema`, those of SERIAL columns
            included. An identity column needs no privilege on its sequence.
        schemas: Names of schemas.
        database: Whether they are on the database itself.
        schema: Where the tables and sequences are; None is the default schema, and with EVERY all
            declared ones, wherever they are.
        grantable: Whether the role may grant them in its turn.
    """

    privileges: Sequence[str]
    to: str = field(kw_only=True)
    tables: Sequence[str] | Every = field(default=(), kw_only=True)
    sequences: Sequence[str] | Every = field(default=(), kw_only=True)
    schemas: Sequence[str] = field(default=(), kw_only=True)
    database: bool = field(default=False, kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    grantable: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        sorts = {
            "table": self.tables,
            "sequence": self.sequences,
            "schema": self.schemas,
            "database": ("",) if self.database else (),
        }
        said = [on for on, names in sorts.items() if names]
        if len(said) != 1:
            raise ValueError(
                "Grant() is on one sort of thing: give it tables, sequences, schemas or "
                f"database=True, not {' and '.join(said) or 'none of them'}"
            )
        where = f"Grant(…, to={self.to!r})"
        object.__setattr__(self, "privileges", checked(self.privileges, said[0], where))
        for name in ("tables", "sequences", "schemas"):
            object.__setattr__(self, name, _several(getattr(self, name), name))

    @property
    def on(self) -> str:
        """The sort of thing that they are on: table, sequence, schema or database."""
        if self.database:
            return "database"
        if self.schemas:
            return "schema"
        return "table" if self.tables else "sequence"


@dataclass(frozen=True)
class DefaultPrivilege(Declaration):
    """Privileges that a role shall have on what another role will make in this database.

    Example:
        >>> DefaultPrivilege(["SELECT"], on="tables", for_role="tablecreator", to="readwrite").on
        'tables'

    Args:
        privileges: Their names.
        on: `tables` (views count as such), `sequences`, `functions` or `types`.
        for_role: Who will make them. Without it the server takes whoever runs the statement, who
            is another role on every server.
        to: Who shall have them.
        schema: Where they will be made; None for every schema.
        grantable: Whether the role may grant them in its turn.
    """

    privileges: Sequence[str]
    on: str = field(kw_only=True)
    for_role: str = field(kw_only=True)
    to: str = field(kw_only=True)
    schema: str | None = field(default=None, kw_only=True)
    grantable: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.on not in DEFAULT_ON:
            raise ValueError(f"DefaultPrivilege(on={self.on!r}): choose {', '.join(DEFAULT_ON)}")
        where = f"DefaultPrivilege(…, to={self.to!r})"
        if self.to == self.for_role:
            raise ValueError(f"{where}: what a role makes is its own, and needs no privilege")
        if self.to == PUBLIC and self.on in ("functions", "types") and self.schema is None:
            raise ValueError(f"{where}: every role has that by default on {self.on}")
        privileges = checked(self.privileges, DEFAULT_ON[self.on], where)
        object.__setattr__(self, "privileges", privileges)


def _several(names: Sequence[str] | Every, argument: str) -> tuple[str, ...] | Every:
    if isinstance(names, str):
        raise TypeError(f"{argument} takes several names: {argument}=[{names!r}]")
    return names if isinstance(names, Every) else tuple(names)
