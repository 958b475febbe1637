"""The Lambda function: deployments, CloudFormation's custom resource, rotation of secrets.

Example:
    The function's handler is `pgmigrations.aws.handler.handler`; `docs/reference/deploy.md` has the
    events, the results and the environment.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any, Protocol

from pgmigrations.aws import cloud_formation, rotation_step
from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.failure import DeploymentIncomplete, code_of
from pgmigrations.deploy.order import Order, order_of_environment
from pgmigrations.deploy.run import Deployment, deploy
from pgmigrations.deploy.time_limit import TimeLimit
from pgmigrations.deploy.wiring import Wiring, default_ini
from pgmigrations.errors import PgMigrationsError

log = logging.getLogger("pgmigrations")

# Making a client takes longer than a call, and a warm function keeps it.
_STORE = SecretsManager()


class Context(Protocol):
    """The part of Lambda's context that is used."""

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN, with version or alias where it was invoked by that."""
        ...

    @property
    def aws_request_id(self) -> str:
        """What Lambda's own tries of an event have in common."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed."""
        ...


class DeploymentFailed(Exception):
    """What Lambda reports of a failure: `code: what went wrong. what to do`.

    Attributes:
        code: A stable word, see `pgmigrations.deploy.failure.code_of`.
    """

    def __init__(self, error: PgMigrationsError) -> None:
        self.code = code_of(error)
        super().__init__(f"{self.code}: {' '.join(str(error).split())}")


def handler(event: Mapping[str, Any] | None, context: Context) -> dict[str, Any]:
    """Deploy, or do what CloudFormation or Secrets Manager asks for.

    Args:
        event: `{}` or an order such as `{"target": "head", "rotate": true}`; CloudFormation's, with
            `RequestType`, as it is or behind the CDK's provider framework; Secrets Manager's, with
            `Step`.
        context: Lambda's.

    Returns:
        What was done, as `Deployment.as_json`; CloudFormation's answer for its events; nothing for
        a step of a rotation.

    Raises:
        DeploymentFailed: The code, and what to do, in one line.
    """
    for name in ("pgmigrations", "alembic.runtime.migration"):
        logging.getLogger(name).setLevel(logging.INFO)
    limit = TimeLimit(lambda: context.get_remaining_time_in_millis() / 1000)
    event = event or {}
    try:
        if "Step" in event:
            rotation_step.take(_wiring(), event, limit)
            return {}
        if "RequestType" in event:
            return cloud_formation.answer(
                event,
                lambda order: _deployed(order, limit, str(event.get("RequestId", ""))),
                context.invoked_function_arn,
                context.get_remaining_time_in_millis() / 1000,
            )
        done = _deployed(event, limit, context.aws_request_id)
        if done.remaining and not event:
            # As the CDK's Trigger calls, which reads no result.
            raise DeploymentIncomplete(*cloud_formation.incomplete(done))
    except PgMigrationsError as error:
        failed = DeploymentFailed(error)
        log.error("%s", failed)
        # Its own traceback says nothing more, and holds texts of other libraries.
        raise failed from None
    return done.as_json()


def is_complete(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Go on with a deployment that had too little time: the provider framework's second handler.

    Args:
        event: CloudFormation's event with what `handler` has answered.
        context: Lambda's.

    Raises:
        DeploymentFailed: As from `handler`.
    """
    answered = event.get("Data") or {}
    if event.get("RequestType") == "Delete" or answered.get("Status") != "incomplete":
        return {"IsComplete": True}
    data = handler(event, context)["Data"]
    is_done = data["Status"] != "incomplete"
    return {"IsComplete": is_done, "Data": data} if is_done else {"IsComplete": False}


def _wiring() -> Wiring:
    return Wiring.of(default_ini(), os.environ, _STORE)


def _deployed(order: Mapping[str, Any], limit: TimeLimit, request: str) -> Deployment:
    asked = Order.of({"request": request, **order_of_environment(os.environ), **order})
    done = deploy(_wiring(), asked, limit)
    log.info("%s", json.dumps(done.as_json()))
    return done
