"""CloudFormation's events through CDK's own framework into the function, and back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.infra.unpacked import Unpacked

pytestmark = [
    pytest.mark.cdk,
    pytest.mark.skipif(
        find_spec("pgmigrations.aws") is None, reason="this checkout has no pgmigrations.aws"
    ),
]

DRIVER = Path(__file__).with_name("provider_framework.js")
FRAMEWORK_ARN = "arn:aws:lambda:ca-central-1:111111111111:function:framework"
FUNCTION_ARN = "arn:aws:lambda:ca-central-1:111111111111:function:migration"
# What Lambda makes of a handler: an answer, or an error with its type.
FUNCTION = f"""\
import json, sys
from pgmigrations.aws import handler
class Context:
    invoked_function_arn = {FUNCTION_ARN!r}
    function_name = "migration"
    aws_request_id = "request"
    def get_remaining_time_in_millis(self): return 900_000
try:
    answer = handler.{{name}}(json.load(sys.stdin), Context())
except Exception as error:
    answer = {{{{"errorMessage": str(error), "errorType": type(error).__name__}}}}
print(json.dumps(answer))
sys.exit(3 if "errorMessage" in answer else 0)
"""


@pytest.fixture(scope="module")
def framework(synthesized: ModuleType) -> Path:
    """The folder of the framework's code."""
    found: Path = synthesized.staged_framework()
    return found


def event(kind: str, **properties: str) -> dict[str, Any]:
    """An event of CloudFormation's; its URL can be reached by nobody."""
    told: dict[str, Any] = {
        "RequestType": kind,
        "ServiceToken": FRAMEWORK_ARN,
        "ResponseURL": "https://cloudformation.invalid/answer?signature=none",
        "StackId": "arn:aws:cloudformation:ca-central-1:111111111111:stack/small/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Migration",
        "ResourceType": "Custom::DatabaseMigration",
        "ResourceProperties": {"ServiceToken": FRAMEWORK_ARN, "Revisions": "1", **properties},
    }
    if kind != "Create":
        told["PhysicalResourceId"] = "pgmigrations"
    return told


def through(
    framework: Path,
    unpacked: Unpacked,
    sent: Mapping[str, Any],
    *,
    handler: str = "onEvent",
    waits: bool = False,
    **environment: str,
) -> dict[str, Any]:
    """Send an event through the framework; gives what CloudFormation and Step Functions get."""
    name = {"onEvent": "handler", "isComplete": "is_complete"}[handler]
    more = {"USER_ON_EVENT_FUNCTION_ARN": FUNCTION_ARN}
    if waits:
        more |= {"USER_IS_COMPLETE_FUNCTION_ARN": FUNCTION_ARN, "WAITER_STATE_MACHINE_ARN": "w"}
    done = subprocess.run(
        ["node", str(DRIVER), str(framework), handler, *unpacked.words(FUNCTION.format(name=name))],
        cwd=unpacked.task,
        env=unpacked.environment(**more, **environment),
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        check=True,
    )
    got: dict[str, Any] = json.loads(done.stdout)
    assert "raised" not in got
    return got


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_is_answered_once_and_by_the_framework(
    framework: Path, unpacked: Unpacked, database_url: str, kind: str
) -> None:
    got = through(framework, unpacked, event(kind), DATABASE_URL=database_url)
    (answer,) = got["answers"]
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "pgmigrations")
    assert answer["Data"]["Status"] == "deployed"
    assert len(json.dumps(answer)) < 4096  # CloudFormation takes no longer one.


def test_a_failure_is_told_and_fails_the_deployment(
    framework: Path, unpacked: Unpacked, database_url: str
) -> None:
    sent = event("Create", Target="999_no_such_revision")
    (answer,) = through(framework, unpacked, sent, DATABASE_URL=database_url)["answers"]
    assert answer["Status"] == "FAILED"
    assert "999_no_such_revision" in answer["Reason"]
    # The framework's mark, by which it passes over the Delete that follows.
    assert "CREATE_FAILED" in answer["PhysicalResourceId"]


def test_deleting_the_stack_succeeds_without_a_database(
    framework: Path, unpacked: Unpacked
) -> None:
    (answer,) = through(framework, unpacked, event("Delete"))["answers"]
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "pgmigrations")


def test_with_a_second_handler_the_answer_waits_for_it(
    framework: Path, unpacked: Unpacked, database_url: str
) -> None:
    begun = through(
        framework, unpacked, event("Create", GoesOn="true"), waits=True, DATABASE_URL=database_url
    )
    assert begun["answers"] == []
    (waiting,) = begun["executions"]
    done = through(
        framework,
        unpacked,
        waiting,
        handler="isComplete",
        waits=True,
        DATABASE_URL=database_url,
    )
    (answer,) = done["answers"]
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "deployed"
