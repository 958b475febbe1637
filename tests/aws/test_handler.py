"""Events in, results out, through Lambda's own runtime client."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg2
import pytest

from pgmigrations.run.lock import LockKeys
from tests.support.deployment import Stage
from tests.support.lambda_function import FunctionError, LambdaFunction


def test_an_empty_event_deploys_and_the_next_changes_nothing(
    function: LambdaFunction, made: Stage
) -> None:
    first = function.invoke({})
    assert first["status"] == "deployed"
    assert first["after"] == ["002_access"]
    assert [one["reason"] for one in first["secrets"]] == ["initial", "initial"]
    held = [made.secrets.read(name) for name in made.names]
    assert [one["version"] for one in first["secrets"]] == [one["version"] for one in held]
    assert all(map(made.lets_in, held))
    again = function.invoke({})
    assert (again["status"], again["revisions"]) == ("unchanged", [])
    assert [made.secrets.read(name) for name in made.names] == held


def test_rotation_is_asked_for_by_the_event(function: LambdaFunction, made: Stage) -> None:
    function.invoke({})
    done = function.invoke({"target": "head", "rotate": True})
    assert [one["reason"] for one in done["secrets"]] == ["asked", "asked"]
    held = made.secrets.read(made.names[0])
    assert held["username"] == f"{made.logins[0]}_clone"
    assert made.lets_in(held)


def test_an_unknown_key_of_an_event_is_refused(function: LambdaFunction) -> None:
    with pytest.raises(FunctionError, match=r"^invalid_order: .*'rotat'.*target, rotate") as caught:
        function.invoke({"rotat": True})
    assert caught.value.said["errorType"] == "DeploymentFailed"


def test_a_failure_has_a_code_and_says_what_to_do(function: LambdaFunction, made: Stage) -> None:
    function.invoke({})
    made.ask(f"DROP OWNED BY {made.logins[0]}_clone; DROP ROLE {made.logins[0]}_clone")
    with pytest.raises(FunctionError, match=r"^role_missing: .*access\.py"):
        function.invoke({"rotate": True})


def test_a_lock_is_waited_for_no_longer_than_the_function_may_run(
    function: LambdaFunction, made: Stage
) -> None:
    function.invoke({})
    keys = LockKeys.of(made.migrator.database or "", "public", "pgmigrations")
    with closing(psycopg2.connect(**made.admin.libpq)) as migrating:
        migrating.cursor().execute("SELECT pg_advisory_lock(%s)", (keys.runner,))
        began = time.monotonic()
        with pytest.raises(FunctionError, match=r"^lock_held: Another run works on this database"):
            function.invoke({"rotate": True}, timeout=8)
        assert time.monotonic() - began < 8
    assert function.invoke({"rotate": True}, timeout=60)["status"] == "deployed"
