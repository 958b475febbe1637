"""What the migrating function may do, statement by statement; it has no managed policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

READ = ["secretsmanager:GetSecretValue"]
ROTATE = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
]
WRITE_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: Lambda itself makes the
# function's network interfaces by this role, and EC2 knows no narrower resource for all of them.
NETWORK_INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def statements(
    scope: Construct,
    *,
    log_group: logs.ILogGroup,
    migrator: secretsmanager.ISecret,
    application: Sequence[secretsmanager.ISecret],
) -> list[iam.PolicyStatement]:
    """Everything that the function's role allows.

    Args:
        scope: Tells account, region and partition.
        log_group: What the function logs into.
        migrator: The secret that it migrates with, which it reads only.
        application: The secrets that it rotates.
    """
    return [
        iam.PolicyStatement(
            sid="WriteItsLog", actions=WRITE_LOG, resources=[log_group.log_group_arn]
        ),
        iam.PolicyStatement(
            sid="ReadTheMigratorsSecret", actions=READ, resources=[arn_of(migrator)]
        ),
        iam.PolicyStatement(
            sid="RotateTheApplicationsSecrets",
            actions=ROTATE,
            resources=[arn_of(secret) for secret in application],
        ),
        *_keys(scope, migrator, application),
        *_network(scope),
    ]


def arn_of(secret: secretsmanager.ISecret) -> str:
    """The secret's ARN as a policy names it: one that was looked up by name lacks its suffix."""
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"


def _keys(
    scope: Construct,
    migrator: secretsmanager.ISecret,
    application: Sequence[secretsmanager.ISecret],
) -> Iterator[iam.PolicyStatement]:
    rotated = _keys_of(application)
    read = [key for key in _keys_of([migrator]) if key not in rotated]
    for sid, arns, actions in (
        ("DecryptTheMigratorsSecret", read, ["kms:Decrypt"]),
        ("EncryptTheApplicationsSecrets", rotated, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        if arns:
            service = f"secretsmanager.{Stack.of(scope).region}.amazonaws.com"
            yield iam.PolicyStatement(
                sid=sid,
                actions=actions,
                resources=arns,
                conditions={"StringEquals": {"kms:ViaService": service}},
            )


def _keys_of(secrets: Sequence[secretsmanager.ISecret]) -> list[str]:
    keys: list[kms.IKey | None] = [secret.encryption_key for secret in secrets]
    return list(dict.fromkeys(key.key_arn for key in keys if key is not None))


def _network(scope: Construct) -> Iterator[iam.PolicyStatement]:
    any_function = Stack.of(scope).format_arn(
        service="lambda",
        resource="function",
        resource_name="*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    yield iam.PolicyStatement(sid="JoinTheVpc", actions=NETWORK_INTERFACES, resources=["*"])
    # Lambda's own calls carry no function; those of the function's code are refused.
    yield iam.PolicyStatement(
        sid="OnlyLambdaJoinsTheVpc",
        effect=iam.Effect.DENY,
        actions=NETWORK_INTERFACES,
        resources=["*"],
        conditions={"ArnLike": {"lambda:SourceFunctionArn": any_function}},
    )
