"""The declaration of a role, and of the two logins of an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pgmigrations.declare.declaration import Declaration

CLONE_SUFFIX = "_clone"
"""What the second login of an application has behind the name of the first."""


@dataclass(frozen=True)
class Role(Declaration):
    """A role that the server shall have.

    Whether it can log in, and its password, is no part of it: `pgmigrations deploy` sets both.
    Roles belong to the whole server, so that one that is no longer declared is left alone; a
    revision with `op.drop_role` drops it.

    Example:
        >>> Role("readwrite").name
        'readwrite'
        >>> Role("report", member_of=["readwrite"], settings={"statement_timeout": "30s"}).inherit
        True

    Args:
        name: The role, unquoted.
        member_of: Roles that it is a member of; other memberships of it are revoked.
        superuser: Whether no privilege is ever asked of it.
        createdb: Whether it may create databases.
        createrole: Whether it may create roles.
        inherit: Whether it has the privileges of the roles that it is a member of.
        replication: Whether it may start replication.
        bypassrls: Whether no row security policy holds for it.
        connection_limit: How many sessions it may have at once; -1 for any number.
        settings: Run-time settings of its sessions in every database, each as text; a list of names
            such as `search_path` as SQL writes one: `app, "Odd one"`.
        comment: Its comment; by default none.
    """

    name: str
    member_of: Sequence[str] = field(default=(), kw_only=True)
    superuser: bool = field(default=False, kw_only=True)
    createdb: bool = field(default=False, kw_only=True)
    createrole: bool = field(default=False, kw_only=True)
    inherit: bool = field(default=True, kw_only=True)
    replication: bool = field(default=False, kw_only=True)
    bypassrls: bool = field(default=False, kw_only=True)
    connection_limit: int = field(default=-1, kw_only=True)
    settings: Mapping[str, str] = field(default_factory=dict, kw_only=True, hash=False)
    comment: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Role() needs a name, such as Role('readwrite')")
        if self.name in ("public", "none") or self.name.startswith("pg_"):
            raise ValueError(f"PostgreSQL keeps the name {self.name!r} for itself: choose another")
        if isinstance(self.member_of, str):
            raise TypeError(f"member_of takes several roles: member_of=[{self.member_of!r}]")
        for name, value in self.settings.items():
            if not isinstance(value, str):
                raise TypeError(f"The setting {name} of role {self.name} takes text, got {value!r}")
        object.__setattr__(self, "member_of", tuple(self.member_of))


def application_login(name: str, group: str) -> tuple[Role, Role]:
    """Declare the two logins that an application uses in turn, as members of one role.

    A role has one password. With two, the one that the application logs in with stays as it is
    while the other gets a new password. Whatever either makes belongs to the group, so that both
    own and alter the same tables: their sessions begin with `SET ROLE`.

    Example:
        >>> [one.name for one in application_login("app_rw", "readwrite")]
        ['app_rw', 'app_rw_clone']

    Args:
        name: The first login; the second has `_clone` behind it.
        group: The role that both act as.
    """
    settings = {"role": group}
    return (
        Role(name, member_of=(group,), settings=settings),
        Role(f"{name}{CLONE_SUFFIX}", member_of=(group,), settings=settings),
    )
