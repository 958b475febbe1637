"""Secrets Manager's own rotation: four steps, each as often as it likes."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.deployment import Stage
from tests.support.lambda_function import FunctionError, LambdaFunction

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def take(function: LambdaFunction, secret: str, token: str, *steps: str) -> None:
    for step in steps:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
        assert function.invoke(event) == {}


@pytest.fixture
def arn(function: LambdaFunction, made: Stage) -> str:
    """The ARN of a secret whose login works."""
    function.invoke({})
    found = made.secrets.client().describe_secret(SecretId=made.names[0])
    return str(found["ARN"])


def test_the_steps_rotate_and_each_can_be_taken_again(
    function: LambdaFunction, made: Stage, arn: str
) -> None:
    name = made.names[0]
    before = made.secrets.read(name)
    token = str(uuid4())
    for step in STEPS:
        for _ in range(2):
            take(function, arn, token, step)
            assert made.lets_in(made.secrets.read(name)), step
    after = made.secrets.read(name)
    assert (after["version"], after["username"]) == (token, f"{made.logins[0]}_clone")
    assert made.lets_in(before)
    # All of them once more, after the end.
    take(function, arn, token, *STEPS)
    assert made.secrets.read(name) == after


def test_a_deployment_in_the_middle_finishes_it_and_the_steps_agree(
    function: LambdaFunction, made: Stage, arn: str
) -> None:
    token = str(uuid4())
    take(function, arn, token, "createSecret")
    done = function.invoke({})
    assert [one["reason"] for one in done["secrets"]] == ["resumed", "none"]
    assert made.secrets.read(made.names[0])["version"] == token
    take(function, arn, token, *STEPS[1:])


def test_a_step_of_an_older_rotation_changes_nothing(
    function: LambdaFunction, made: Stage, arn: str
) -> None:
    tokens = [str(uuid4()) for _ in range(3)]
    for token in tokens:
        take(function, arn, token, *STEPS)
    held = made.secrets.read(made.names[0])
    for step in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(FunctionError, match=r"^not_pending: "):
            take(function, arn, tokens[0], step)
    assert made.secrets.read(made.names[0]) == held
    assert made.lets_in(held)


def test_nothing_is_promoted_that_was_not_set(
    function: LambdaFunction, made: Stage, arn: str
) -> None:
    held, token = made.secrets.read(made.names[0]), str(uuid4())
    take(function, arn, token, "createSecret")
    for step in ("testSecret", "finishSecret"):
        with pytest.raises(FunctionError, match=r"^password_refused: "):
            take(function, arn, token, step)
    assert made.secrets.read(made.names[0]) == held
    take(function, arn, token, *STEPS)
    assert made.lets_in(made.secrets.read(made.names[0]))


def test_another_secret_and_another_step_are_refused(
    function: LambdaFunction, made: Stage, arn: str
) -> None:
    with pytest.raises(FunctionError, match=r"^invalid_order: The secret other/secret is none"):
        take(function, "other/secret", str(uuid4()), "createSecret")
    with pytest.raises(FunctionError, match=r"^invalid_order: There is no step 'mendSecret'"):
        take(function, arn, str(uuid4()), "mendSecret")
