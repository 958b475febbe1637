"""`DatabaseMigration`: a stack with it migrates its database at each deployment that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CustomResource, Duration, RemovalPolicy, custom_resources
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from infra.package import GOING_ON, HANDLER, FunctionCode, ImagePackage, Package
from infra.policy import statements
from infra.rotation import OneRotator, add_rotation

TIMEOUT = Duration.minutes(15)
INTERVAL = Duration.minutes(1)
MEMORY = 256
PORT = 5432


class DatabaseMigration(Construct):
    """Migrates a database while CloudFormation deploys, and fails the deployment if that fails.

    Makes a Lambda function in the given subnets with a security group and a role of its own, a log
    group, an alarm, and a custom resource. The custom resource is created and updated after the
    database; it is updated when a revision, an environment or a secret has changed, and at no other
    deployment. A failure rolls the stack back; the database stays where the last whole revision has
    left it (`docs/how-to/deploy-lambda-cdk.md`).

    The function's concurrency is not reserved: the lock in the database already lets one run at a
    time, and the others wait, whereas Lambda would refuse them.

    Example:
        >>> migration = DatabaseMigration(
        ...     stack,
        ...     "Migration",
        ...     vpc=vpc,
        ...     database=instance,
        ...     migrator_secret=instance.secret,
        ...     user_secret=user_secret,
        ...     table_creator_secret=table_creator_secret,
        ... )
        >>> service.node.add_dependency(migration)  # starts on the new schema

    Args:
        scope: The stack.
        construct_id: The name within it.
        vpc: The network of the database.
        vpc_subnets: Where the function runs; by default the private subnets.
        database: Instance, cluster or proxy that the migrator's secret names; must let the
            function's security group in, which is arranged here.
        migrator_secret: JSON with username, password, host, port and dbname, which is read only.
        user_secret: The secret of the application's users, which is written.
        table_creator_secret: The secret of the application's table creators, which is written.
        proxy: The endpoint that the application connects to, written into its secrets.
        secrets_endpoint: The VPC endpoint of Secrets Manager; by default HTTPS is let out to
            anywhere, as is needed for a NAT.
        package: How the code reaches Lambda; by default as an image from the Dockerfile.
        environment: Further variables of the function.
        properties: Given to the function with each call (`ResourceProperties`); a change of any
            calls it, such as of the endpoint of a database that is replaced.
        depends_on: What has to be there before the first migration, beside the database.
        rotate_every: Rotate the application's secrets by Secrets Manager's schedule, in whole days
            from 1 to 1000; by default only when asked. Nothing else may rotate these secrets.
        total_timeout: Call the function again while there are revisions left that it had no time
            for, so long in all, up to an hour; by default the first such call fails.
        alarm_topic: Is told when the function fails.
        log_retention: How long logs are kept.
        log_removal_policy: What becomes of them when the stack is deleted or its creation is
            rolled back; they say why, so by default they stay.
        memory: MB; Lambda gives CPU in proportion.
        port: The port of the database.

    Raises:
        PackageUnfit: The package has not been built, or not from the project as it is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        database: ec2.IConnectable,
        migrator_secret: secretsmanager.ISecret,
        user_secret: secretsmanager.ISecret,
        table_creator_secret: secretsmanager.ISecret,
        vpc_subnets: ec2.SubnetSelection | None = None,
        proxy: rds.IDatabaseProxy | None = None,
        secrets_endpoint: ec2.IConnectable | None = None,
        package: Package | None = None,
        environment: Mapping[str, str] | None = None,
        properties: Mapping[str, object] | None = None,
        depends_on: Sequence[IDependable] = (),
        rotate_every: Duration | None = None,
        total_timeout: Duration | None = None,
        alarm_topic: sns.ITopic | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.SIX_MONTHS,
        log_removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        memory: int = MEMORY,
        port: int = PORT,
    ) -> None:
        super().__init__(scope, construct_id)
        secrets = [migrator_secret, user_secret, table_creator_secret]
        package = package or ImagePackage()
        given = {**({"DB_PROXY": proxy.endpoint} if proxy else {}), **(environment or {})}
        told = {
            "Revisions": package.digest(),
            "Secrets": [secret.secret_full_arn or secret.secret_name for secret in secrets],
            "Environment": given,
            **({"GoesOn": True} if total_timeout else {}),
            **(properties or {}),
        }
        log, provider_log = (
            logs.LogGroup(self, name, retention=log_retention, removal_policy=log_removal_policy)
            for name in ("Log", "ProviderLog")
        )
        self.log_group = log
        self.role = self._role(secrets)
        self.security_group = self._security_group(vpc, database, secrets_endpoint, port)
        functions = [
            self._function(
                name,
                package.code(self, handler),
                environment={**_variables(secrets), **given},
                vpc=vpc,
                vpc_subnets=vpc_subnets,
                memory_size=memory,
            )
            for name, handler in (("Function", HANDLER), ("GoingOn", GOING_ON))
            if total_timeout or handler == HANDLER
        ]
        self.function = functions[0]
        self.alarms = [_alarm(function, alarm_topic) for function in functions]
        self.custom_resource = self._custom_resource(functions, told, provider_log, total_timeout)
        for needed in (database, proxy, secrets_endpoint, self.security_group, *secrets):
            if needed:
                self.custom_resource.node.add_dependency(needed)
        self.custom_resource.node.add_dependency(*database.connections.security_groups, *depends_on)
        if rotate_every:
            self._rotate([user_secret, table_creator_secret], rotate_every)

    def _role(self, secrets: Sequence[secretsmanager.ISecret]) -> iam.Role:
        allowed = statements(
            self, log_group=self.log_group, migrator=secrets[0], application=secrets[1:]
        )
        # Inline, so that the role has its rights from its first moment on.
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Migration": iam.PolicyDocument(statements=allowed)},
        )

    def _security_group(
        self,
        vpc: ec2.IVpc,
        database: ec2.IConnectable,
        secrets_endpoint: ec2.IConnectable | None,
        port: int,
    ) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="The function that migrates the database",
            allow_all_outbound=False,
        )
        group.connections.allow_to(database, ec2.Port.tcp(port), "Migrates the database")
        https = ec2.Port.tcp(443)
        if secrets_endpoint:
            group.connections.allow_to(secrets_endpoint, https, "Reads and rotates secrets")
        else:
            group.add_egress_rule(ec2.Peer.any_ipv4(), https, "Reads and rotates secrets")
        return group

    def _function(self, construct_id: str, found: FunctionCode, **options: Any) -> lambda_.Function:
        return lambda_.Function(
            self,
            construct_id,
            description="Migrates the database, sets up its logins and rotates their secrets",
            code=found.code,
            handler=found.handler,
            runtime=found.runtime,
            architecture=found.architecture,
            layers=found.layers,
            security_groups=[self.security_group],
            role=self.role,
            log_group=self.log_group,
            timeout=TIMEOUT,
            **options,
        )

    def _custom_resource(
        self,
        functions: Sequence[lambda_.Function],
        properties: Mapping[str, object],
        log_group: logs.ILogGroup,
        total_timeout: Duration | None,
    ) -> CustomResource:
        options: dict[str, Any] = {}
        if total_timeout:
            options = {
                "is_complete_handler": functions[1],
                "query_interval": INTERVAL,
                "total_timeout": total_timeout,
                # Its rights would be on everything, and the functions log what there is to say.
                "disable_waiter_state_machine_logging": True,
            }
        # The framework's own function answers CloudFormation: ours has no way out of the network.
        provider = custom_resources.Provider(
            self, "Provider", on_event_handler=functions[0], log_group=log_group, **options
        )
        return CustomResource(
            self,
            "Resource",
            service_token=provider.service_token,
            resource_type="Custom::DatabaseMigration",
            properties=properties,
            # CloudFormation waits for an hour by itself where nobody answers.
            service_timeout=total_timeout or TIMEOUT.plus(Duration.minutes(5)),
        )

    def _rotate(self, secrets: Sequence[secretsmanager.ISecret], every: Duration) -> None:
        schedules = add_rotation(self, self.function, secrets, every)
        for schedule in schedules:
            # Secrets Manager tests the login when the schedule is made.
            schedule.node.add_dependency(self.custom_resource)
        self.node.add_validation(OneRotator(self, schedules))


def _alarm(function: lambda_.Function, topic: sns.ITopic | None) -> cloudwatch.Alarm:
    alarm = function.metric_errors(period=Duration.minutes(5)).create_alarm(
        function,
        "Failed",
        alarm_description="Migrating the database or rotating its secrets has failed",
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    if topic:
        alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
    return alarm


def _variables(secrets: Sequence[secretsmanager.ISecret]) -> dict[str, str]:
    names = ("DB_SECRET_NAME", "DB_USER_SECRET_NAME", "DB_TABLE_CREATOR_SECRET_NAME")
    return {
        **{name: secret.secret_name for name, secret in zip(names, secrets, strict=True)},
        "PGMIGRATIONS_INI": "/var/task/alembic.ini",
    }
