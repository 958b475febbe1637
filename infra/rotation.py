"""Rotation of the application's secrets by Secrets Manager's schedule, through our function."""

from __future__ import annotations

from collections.abc import Sequence

import jsii
from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IValidation


def add_rotation(
    scope: Construct,
    function: lambda_.Function,
    secrets: Sequence[secretsmanager.ISecret],
    every: Duration,
) -> list[secretsmanager.CfnRotationSchedule]:
    """Let Secrets Manager call the function for each secret, for the first time after `every`.

    `Secret.add_rotation_schedule` is not used: it gives the function rights on `*`.

    Args:
        scope: The construct that the schedules belong to.
        function: Answers Secrets Manager's four steps.
        secrets: What is rotated.
        every: Whole days from 1 to 1000.
    """
    function.add_permission(
        "SecretsManager",
        principal=iam.ServicePrincipal("secretsmanager.amazonaws.com"),
        source_account=Aws.ACCOUNT_ID,
    )
    schedules = []
    for number, secret in enumerate(secrets, 1):
        schedule = secretsmanager.CfnRotationSchedule(
            scope,
            f"Rotation{number}",
            secret_id=secret.secret_full_arn or secret.secret_name,
            rotation_lambda_arn=function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=every.to_days()
            ),
            # A deployment rotates nothing by itself.
            rotate_immediately_on_update=False,
        )
        schedule.node.add_dependency(function)
        schedules.append(schedule)
    return schedules


@jsii.implements(IValidation)
class OneRotator:
    """Refuses a second rotation of the same secret: two rotators undo each other's passwords.

    Args:
        scope: In the stack to look through.
        schedules: The ones that may be.
    """

    def __init__(
        self, scope: Construct, schedules: Sequence[secretsmanager.CfnRotationSchedule]
    ) -> None:
        self._stack = Stack.of(scope)
        self._schedules = schedules

    def validate(self) -> list[str]:
        """Name every other rotation schedule of these secrets in the stack."""
        own = {schedule.node.path for schedule in self._schedules}
        rotated = [self._stack.resolve(schedule.secret_id) for schedule in self._schedules]
        return [
            f"{node.node.path} rotates a secret that DatabaseMigration rotates; remove one of them"
            for node in self._stack.node.find_all()
            if isinstance(node, secretsmanager.CfnRotationSchedule)
            and node.node.path not in own
            and self._stack.resolve(node.secret_id) in rotated
        ]
