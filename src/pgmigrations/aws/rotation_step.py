"""The steps of a rotation that Secrets Manager itself calls for, one by one.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pgmigrations.deploy.application_login import ApplicationLogin
from pgmigrations.deploy.failure import InvalidOrder
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.deploy.wiring import Wiring

# An ARN ends with the name, a dash and six characters of Secrets Manager's own.
_NAME = re.compile(r"arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(?P<name>.+)-\w{6}")


def take(wiring: Wiring, event: Mapping[str, Any], limit: TimeLimit) -> None:
    """Take one step; each can be taken again.

    Args:
        wiring: Where the database and the logins are.
        event: `Step`, `SecretId` and `ClientRequestToken`.
        limit: The time that there is.

    Raises:
        InvalidOrder: The step is unknown, or the secret is none of an application's login.
        NotPending: The token is not that of the version that is pending.
        PgMigrationsError: As from a deployment.
    """
    one = login_of(wiring, str(event.get("SecretId")))
    token = str(event.get("ClientRequestToken"))
    rotation, wait = wiring.rotation, limit.at_most(wiring.settings.lock_wait)
    match event["Step"]:
        case "createSecret":
            rotation.create(one, token, wait=wait)
        case "setSecret":
            rotation.set(one, token, wait=wait)
        case "testSecret":
            rotation.test(one, token)
        case "finishSecret":
            rotation.finish(one, token, wait=wait)
        case other:
            raise InvalidOrder(f"There is no step {other!r} in a rotation")


def login_of(wiring: Wiring, secret: str) -> ApplicationLogin:
    """The login whose secret it is.

    Args:
        wiring: Names the secrets.
        secret: Name or ARN.

    Raises:
        InvalidOrder: It is none's.
    """
    for one in wiring.rotation.logins:
        if secret == one.secret or _name_of(secret) == _name_of(one.secret):
            return one
    raise InvalidOrder(
        f"The secret {secret} is none of an application's login",
        "The variables that application_logins names must name it",
    )


def _name_of(secret: str) -> str:
    found = _NAME.fullmatch(secret)
    return found["name"] if found else secret
