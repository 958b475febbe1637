"""An example of a whole stack: network, database, proxy, secrets, and the migration."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.database_migration import DatabaseMigration
from infra.package import Package

DATABASE = "app"
# RDS picks its default minor release, so that the example outlives any one of them.
ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("18", "18"))


class ExampleStack(Stack):
    """RDS PostgreSQL behind RDS Proxy in a network without a way out, migrated at deployment.

    Names no account and no region, so that it can be deployed to any.

    Args:
        scope: The app.
        construct_id: The name of the stack.
        package: How the function's code reaches Lambda; by default as an image.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, package: Package | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED
                )
            ],
        )
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.secrets_endpoint = self.vpc.add_interface_endpoint(
            "SecretsManager",
            service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            open=False,
        )
        self.user_secret = self._application_secret("UserSecret", "app_rw")
        self.table_creator_secret = self._application_secret("TableCreatorSecret", "app_tc")
        self.instance = self._instance()
        self.proxy = self._proxy()
        self.migration = self._migration(package)
        CfnOutput(self, "MigrationFunction", value=self.migration.function.function_name)
        CfnOutput(self, "MigrationLog", value=self.migration.log_group.log_group_name)

    def _application_secret(self, construct_id: str, login: str) -> secretsmanager.Secret:
        """A secret that begins with a random password, which no login has before the migration."""
        return secretsmanager.Secret(
            self,
            construct_id,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=self.to_json_string({"username": login}),
                generate_string_key="password",
                password_length=32,
                exclude_punctuation=True,
            ),
        )

    def _instance(self) -> rds.DatabaseInstance:
        return rds.DatabaseInstance(
            self,
            "Database",
            engine=ENGINE,
            instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO),
            vpc=self.vpc,
            vpc_subnets=self.subnets,
            database_name=DATABASE,
            credentials=rds.Credentials.from_generated_secret("migrator"),
            parameters={"rds.force_ssl": "1"},
            storage_encrypted=True,
            backup_retention=Duration.days(7),
            deletion_protection=True,
            removal_policy=RemovalPolicy.SNAPSHOT,
        )

    def _proxy(self) -> rds.DatabaseProxy:
        return rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_instance(self.instance),
            # The logins that a proxy lets in are those of its secrets; the migrator is not one.
            secrets=[self.user_secret, self.table_creator_secret],
            client_password_auth_type=rds.ClientPasswordAuthType.POSTGRES_SCRAM_SHA_256,
            require_tls=True,
            vpc=self.vpc,
            vpc_subnets=self.subnets,
        )

    def _migration(self, package: Package | None) -> DatabaseMigration:
        secret = self.instance.secret
        assert secret is not None  # It was generated above.
        return DatabaseMigration(
            self,
            "Migration",
            vpc=self.vpc,
            vpc_subnets=self.subnets,
            database=self.instance,
            migrator_secret=secret,
            user_secret=self.user_secret,
            table_creator_secret=self.table_creator_secret,
            proxy=self.proxy,
            secrets_endpoint=self.secrets_endpoint,
            package=package,
            properties={"Database": self.instance.instance_resource_id or ""},
            rotate_every=Duration.days(30),
            alarm_topic=sns.Topic(self, "Alarms"),
        )
