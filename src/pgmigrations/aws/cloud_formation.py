"""CloudFormation's custom resource: a deployment at every Create and Update, nothing at Delete.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias
from urllib.request import Request, urlopen

from pgmigrations.deploy.failure import DeploymentIncomplete, code_of
from pgmigrations.deploy.run import Deployment
from pgmigrations.errors import PgMigrationsError

log = logging.getLogger("pgmigrations")

PHYSICAL_ID = "pgmigrations"
"""Never another one: CloudFormation deletes a resource whose id has changed."""

_ROTATE = "Rotate"
_ORDERS = {
    "Target": "target",
    _ROTATE: "rotate",
    "Adopt": "adopt",
    "Keep": "keep",
    "Verify": "verify",
}
Deploys: TypeAlias = Callable[[Mapping[str, Any]], Deployment]
"""Carries out an order, as `Order.of` reads it."""

_GOES_ON = "GoesOn"
_TIMEOUT = 10.0
_TRIES = 3
_LONGEST_REASON = 1000
_LAST_SECONDS = 5.0


def answer(
    event: Mapping[str, Any], deployed: Deploys, function: str, seconds: float
) -> dict[str, Any]:
    """Do what an event asks for, and answer it.

    Behind the CDK's provider framework the answer is what is returned, and a failure is raised.
    Where the resource's `ServiceToken` is this function, CloudFormation has called it, nobody reads
    what is returned, and the answer is put to `ResponseURL`, a failure, too. The URL alone does not
    tell: the framework passes it on.

    The resource's properties are the order: `Target`, `Rotate`, `Adopt`, `Keep`, `Verify`; any
    others, such as a hash of the revisions that makes an Update, are not looked at. With `GoesOn`
    set to true a deployment that had too little time is answered with the status `incomplete`, for
    `is_complete` to go on; else it is a failure.

    Args:
        event: CloudFormation's.
        deployed: Deploys.
        function: The ARN that this function was invoked by.
        seconds: Until the function is killed. Where CloudFormation has called it, a failure is put
            before that, or it would be waited for, for an hour.

    Raises:
        PgMigrationsError: The deployment failed, and another function answers CloudFormation.
    """
    url = str(event.get("ResponseURL") or "")
    properties = event.get("ResourceProperties") or {}
    is_direct = url.startswith("https://") and properties.get("ServiceToken") == function
    try:
        with _last_word(url, event, seconds) if is_direct else nullcontext():
            data = _data(event, deployed)
    except Exception as error:
        if not is_direct:
            raise
        reason = f"{code_of(error)}: {_reason_of(error)}"
        log.error("%s", reason)
        return _put(url, event, {"Status": "FAILED", "Reason": reason[:_LONGEST_REASON]})
    if is_direct:
        return _put(url, event, {"Status": "SUCCESS", "Data": data})
    return {"PhysicalResourceId": _id_of(event), "Data": data}


@contextmanager
def _last_word(url: str, event: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """Put a failure just before the function is killed; what is put later is not read."""
    reason = "function_timeout: the function's time is over; what is done is kept: deploy again"
    said = {"Status": "FAILED", "Reason": reason}
    wait = max(seconds - _LAST_SECONDS, seconds / 2)
    timer = threading.Timer(wait, lambda: _put(url, event, said))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def incomplete(done: Deployment) -> tuple[str, str]:
    """Say how far a deployment has come, and what to do."""
    applied, left = len(done.revisions), len(done.remaining)
    return (
        f"There was time for {applied} of {applied + left} revisions; {done.remaining[0]} is next",
        "Call it again: it goes on there; or give the function more time",
    )


def _data(event: Mapping[str, Any], deployed: Deploys) -> dict[str, Any]:
    if event["RequestType"] == "Delete":
        # The database outlives the stack, or goes with it.
        return {}
    properties: Mapping[str, Any] = event.get("ResourceProperties") or {}
    order = {key: properties[name] for name, key in _ORDERS.items() if name in properties}
    before: Mapping[str, Any] = event.get("OldResourceProperties") or {}
    if event["RequestType"] == "Update" and before.get(_ROTATE) == properties.get(_ROTATE):
        # It was asked for once, and the Update that rolls another back has it, too.
        order.pop(_ORDERS[_ROTATE], None)
    done = deployed(order)
    if done.remaining and properties.get(_GOES_ON) not in (True, "true"):
        raise DeploymentIncomplete(*incomplete(done))
    return {
        "Status": done.status,
        "Revisions": ",".join(done.after),
        "Applied": str(len(done.revisions)),
        "Rotated": ",".join(one.login for one in done.secrets if one.reason != "none"),
    }


def _id_of(event: Mapping[str, Any]) -> str:
    # What a Create that has failed got from CloudFormation itself must be answered as it is.
    if event["RequestType"] == "Delete":
        return str(event.get("PhysicalResourceId") or PHYSICAL_ID)
    return PHYSICAL_ID


def _reason_of(error: Exception) -> str:
    if isinstance(error, PgMigrationsError):
        return " ".join(str(error).split())
    # Whatever it is, it is no text of ours: the log has it.
    log.exception("Unexpected", exc_info=error)
    return f"{type(error).__name__}; the function's log tells more"


def _put(url: str, event: Mapping[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    keys = ("StackId", "RequestId", "LogicalResourceId")
    told = {**said, "PhysicalResourceId": _id_of(event), **{key: event[key] for key in keys}}
    # S3 has signed the URL for a PUT without a content type.
    request = Request(
        url, data=json.dumps(told).encode(), method="PUT", headers={"Content-Type": ""}
    )
    for left in reversed(range(_TRIES)):
        try:
            with urlopen(request, timeout=_TIMEOUT):
                return told
        except OSError as error:
            # The URL is as good as a password, so it is not said.
            log.warning("CloudFormation's URL takes no answer: %s", type(error).__name__)
            if not left:
                raise
            time.sleep(1)
    return told
