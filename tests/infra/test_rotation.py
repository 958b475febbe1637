"""Secrets Manager rotates the application's secrets through the function, and nobody else does."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.infra.resources import Resources, flat

pytestmark = pytest.mark.cdk

SCHEDULE = "AWS::SecretsManager::RotationSchedule"


def test_the_two_secrets_of_the_application_are_rotated_and_no_other(example: Resources) -> None:
    schedules = [one["Properties"] for one in example.of(SCHEDULE).values()]
    function = example.name("AWS::Lambda::Function", "MigrationFunction")
    secrets = example.of("AWS::SecretsManager::Secret")
    assert {flat(one["SecretId"]) for one in schedules} == {
        f"{{{name}}}" for name in secrets if name.startswith(("UserSecret", "TableCreatorSecret"))
    }
    for one in schedules:
        assert flat(one["RotationLambdaARN"]) == f"{{{function}.Arn}}"
        assert one["RotationRules"] == {"AutomaticallyAfterDays": 30}


def test_a_deployment_rotates_nothing_and_the_logins_are_there_before_the_schedule(
    example: Resources,
) -> None:
    for one in example.of(SCHEDULE).values():
        assert one["Properties"]["RotateImmediatelyOnUpdate"] is False
        assert example.name("Custom::DatabaseMigration") in one["DependsOn"]


def test_secrets_manager_of_this_account_alone_may_call_the_function(example: Resources) -> None:
    permission = example.one("AWS::Lambda::Permission", "MigrationFunction")["Properties"]
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert flat(permission["SourceAccount"]) == "{AWS::AccountId}"


def test_by_default_nothing_rotates(small: Resources) -> None:
    assert not small.of(SCHEDULE)
    assert not small.of("AWS::Lambda::Permission")


def test_a_second_rotation_of_the_same_secret_is_refused_by_name(synthesized: ModuleType) -> None:
    with pytest.raises(RuntimeError, match=r"Small/User/RotationSchedule/Resource rotates a "):
        synthesized.small(rotate_every=synthesized.monthly(), foreign_rotation=True)


def test_awss_own_rotation_is_let_be_where_ours_is_not_asked_for(synthesized: ModuleType) -> None:
    resources: Resources = synthesized.small(foreign_rotation=True)
    assert len(resources.of(SCHEDULE)) == 1
