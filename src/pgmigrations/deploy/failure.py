"""A stable word for each failure, for programs that read what a deployment says."""

from __future__ import annotations

import re

from pgmigrations.errors import PgMigrationsError

_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class DeploymentIncomplete(PgMigrationsError):
    """There was no time for all revisions: what is done is kept, and the next call goes on."""


class InvalidOrder(PgMigrationsError):
    """A deployment is asked for something that it does not know."""


def code_of(error: BaseException) -> str:
    """The code of a failure: the name of its class in words, `unexpected` where it is none of ours.

    Example:
        >>> code_of(RoleMissing(["app_rw"]))
        'role_missing'

    Args:
        error: What was caught.
    """
    if not isinstance(error, PgMigrationsError):
        return "unexpected"
    return _BETWEEN_WORDS.sub("_", type(error).__name__).lower()
