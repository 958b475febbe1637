"""What the deployment may do in the account, to the letter."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.infra.resources import Resources, Statement, flat

pytestmark = pytest.mark.cdk

JOIN = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
ROTATE = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
ANY_FUNCTION = (
    "ArnLike lambda:SourceFunctionArn "
    "arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:function:*"
)
NETWORK = [Statement("Allow", JOIN, ("*",)), Statement("Deny", JOIN, ("*",), ANY_FUNCTION)]


def of_function(resources: Resources) -> list[Statement]:
    """The statements of the migrating function's role."""
    return [one for name, one in resources.statements() if name.startswith("MigrationRole")]


def test_the_function_may_do_what_it_needs_and_nothing_else(example: Resources) -> None:
    secrets = example.of("AWS::SecretsManager::Secret")
    user, creator = (
        f"{{{next(name for name in secrets if name.startswith(begin))}}}"
        for begin in ("UserSecret", "TableCreatorSecret")
    )
    migrator = f"{{{example.name('AWS::SecretsManager::SecretTargetAttachment')}}}"
    log = f"{{{example.name('AWS::Logs::LogGroup', 'MigrationLog')}.Arn}}"
    assert of_function(example) == [
        Statement("Allow", ("logs:CreateLogStream", "logs:PutLogEvents"), (log,)),
        Statement("Allow", ("secretsmanager:GetSecretValue",), (migrator,)),
        Statement("Allow", ROTATE, (user, creator)),
        *NETWORK,
    ]


def test_the_function_has_no_managed_policy_and_no_second_one(example: Resources) -> None:
    name = example.name("AWS::IAM::Role", "MigrationRole")
    assert "ManagedPolicyArns" not in example.of("AWS::IAM::Role")[name]["Properties"]
    attached = example.of("AWS::IAM::Policy").values()
    assert {"Ref": name} not in [role for one in attached for role in one["Properties"]["Roles"]]


def test_nothing_in_the_stack_may_touch_everything_but_for_the_network(example: Resources) -> None:
    wide = [one for _, one in example.statements() if "*" in one.resources]
    assert wide == NETWORK


def test_the_frameworks_function_may_call_the_function_and_nothing_else(
    example: Resources,
) -> None:
    function = f"{{{example.name('AWS::Lambda::Function', 'MigrationFunction')}.Arn}}"
    found = [one for name, one in example.statements() if name.startswith("MigrationProvider")]
    assert found == [
        Statement("Allow", ("lambda:InvokeFunction",), (function, f"{function}:*")),
        Statement("Allow", ("lambda:GetFunction",), (function,)),
    ]


def test_the_keys_of_the_secrets_are_used_through_secrets_manager_alone(
    synthesized: ModuleType,
) -> None:
    resources: Resources = synthesized.small(key=True)
    key = f"{{{resources.name('AWS::KMS::Key')}.Arn}}"
    through = "StringEquals kms:ViaService secretsmanager.{AWS::Region}.amazonaws.com"
    found = [one for one in of_function(resources) if one.actions[0].startswith("kms:")]
    assert found == [Statement("Allow", ("kms:Decrypt", "kms:GenerateDataKey"), (key,), through)]


def test_without_keys_there_is_no_right_on_any(small: Resources) -> None:
    assert not [one for one in of_function(small) if one.actions[0].startswith("kms:")]


def test_a_secret_that_is_looked_up_by_name_is_allowed_with_its_random_suffix_alone(
    synthesized: ModuleType,
) -> None:
    resources: Resources = synthesized.small(by_name=True)
    begin = "arn:{AWS::Partition}:secretsmanager:{AWS::Region}:{AWS::AccountId}:secret:"
    found = [one.resources for one in of_function(resources) if "Secret" in one.actions[0]]
    assert found == [
        (f"{begin}Migrator-??????",),
        (f"{begin}User-??????", f"{begin}TableCreator-??????"),
    ]


def test_only_lambda_takes_the_role(example: Resources) -> None:
    role = example.one("AWS::IAM::Role", "MigrationRole")["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert flat(statement["Principal"]["Service"]) == "lambda.amazonaws.com"
