"""The logins of an application, and what becomes of their secrets."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from pgmigrations.deploy.secret import SecretStore

CLONE = "_clone"
"""What the second login's name ends with, as in AWS's own rotation of alternating users."""


class Reason(enum.StrEnum):
    """Why a secret gets a new version."""

    NONE = "none"
    INITIAL = "initial"
    """There is no login in it yet."""
    BROKEN = "broken"
    """Its login fails, as after a database was restored."""
    RESUMED = "resumed"
    """An earlier run has left a pending version behind."""
    ASKED = "asked"
    DUE = "due"
    MOVED = "moved"
    """The login stays, and the application is to connect elsewhere."""


@dataclass(frozen=True)
class Asked:
    """Whether somebody asks for new passwords.

    Attributes:
        is_asked: Whether.
        request: Tells a try of the same request from another one; empty for none.
    """

    is_asked: bool = False
    request: str = ""

    def token(self, secret: str) -> str:
        """The id of the version that the request makes of a secret; empty where it is open."""
        return str(uuid5(NAMESPACE_OID, f"{self.request} {secret}")) if self.request else ""


@dataclass(frozen=True)
class ApplicationLogin:
    """A login of the application, and where its password is kept.

    Attributes:
        login: The role's name, unquoted; the second one's is made of it.
        secret: The secret's name.
        store: What keeps it.
        is_alternating: Whether there are two roles.
    """

    login: str
    secret: str
    store: SecretStore
    is_alternating: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The roles that may stand in the secret."""
        return (self.login, self.login + CLONE) if self.is_alternating else (self.login,)

    @property
    def known(self) -> tuple[str, ...]:
        """The roles that may have been put there under either rotation."""
        return (self.login, self.login + CLONE)

    def next_after(self, username: str) -> str:
        """The role that gets the next password.

        Args:
            username: The one in use; empty for none.
        """
        if username not in self.known:
            return self.login
        if not self.is_alternating:
            return username
        return self.login if username != self.login else self.login + CLONE


@dataclass(frozen=True)
class Kept:
    """What a secret holds after a deployment; no password is part of it.

    Attributes:
        login: The application's login.
        secret: The secret's name.
        username: The role that is current.
        version: The current version's id.
        reason: Why it was changed; `NONE` where it was not.
    """

    login: str
    secret: str
    username: str
    version: str
    reason: Reason = Reason.NONE
