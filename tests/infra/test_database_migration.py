"""The function, its network, its alarm, its logs, and when CloudFormation calls it."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.infra.resources import Resources, flat

pytestmark = pytest.mark.cdk

GROUP = "AWS::EC2::SecurityGroup"


def test_the_function_has_its_limits_and_no_concurrency_of_its_own(example: Resources) -> None:
    function = example.function()
    assert function["Timeout"] == 900
    assert function["MemorySize"] == 256
    assert "ReservedConcurrentExecutions" not in function
    assert function["PackageType"] == "Image"
    assert function["ImageConfig"] == {"Command": ["pgmigrations.aws.handler.handler"]}


def test_the_function_runs_in_the_given_subnets_with_a_group_of_its_own(
    example: Resources,
) -> None:
    network = example.function()["VpcConfig"]
    subnets = {f"{{{name}}}" for name in example.of("AWS::EC2::Subnet")}
    assert len(subnets) == 2
    assert {flat(subnet) for subnet in network["SubnetIds"]} == subnets
    group = example.name(GROUP, "MigrationSecurityGroup")
    assert [flat(one) for one in network["SecurityGroupIds"]] == [f"{{{group}.GroupId}}"]


def test_the_function_reaches_the_database_and_secrets_manager_and_nothing_else(
    example: Resources,
) -> None:
    group = f"{{{example.name(GROUP, 'MigrationSecurityGroup')}.GroupId}}"
    database = f"{{{example.name(GROUP, 'DatabaseSecurityGroup')}.GroupId}}"
    endpoint = f"{{{example.name(GROUP, 'VpcSecretsManagerSecurityGroup')}.GroupId}}"
    out = {
        (flat(one["Properties"]["DestinationSecurityGroupId"]), one["Properties"]["ToPort"])
        for one in example.of("AWS::EC2::SecurityGroupEgress").values()
        if flat(one["Properties"]["GroupId"]) == group
    }
    assert out == {(database, 5432), (endpoint, 443)}
    # CloudFormation drops the rule that lets all out where a rule is given.
    assert "SecurityGroupEgress" not in example.one(GROUP, "MigrationSecurityGroup")["Properties"]


def test_the_database_lets_the_function_and_the_proxy_in_and_nobody_else(
    example: Resources,
) -> None:
    database = f"{{{example.name(GROUP, 'DatabaseSecurityGroup')}.GroupId}}"
    rules = [one["Properties"] for one in example.of("AWS::EC2::SecurityGroupIngress").values()]
    into = {
        flat(rule["SourceSecurityGroupId"]) for rule in rules if flat(rule["GroupId"]) == database
    }
    assert into == {
        f"{{{example.name(GROUP, begin)}.GroupId}}"
        for begin in ("MigrationSecurityGroup", "ProxyProxySecurityGroup")
    }


def test_without_an_endpoint_https_is_let_out(small: Resources) -> None:
    (rule,) = small.one(GROUP, "MigrationSecurityGroup")["Properties"]["SecurityGroupEgress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("0.0.0.0/0", 443, 443)


def test_the_function_is_told_the_names_of_the_secrets_and_the_proxy(
    synthesized: ModuleType, example: Resources
) -> None:
    resources: Resources = synthesized.small(by_name=True, environment={"LOG_LEVEL": "DEBUG"})
    assert resources.function()["Environment"]["Variables"] == {
        "DB_SECRET_NAME": "Migrator",
        "DB_USER_SECRET_NAME": "User",
        "DB_TABLE_CREATOR_SECRET_NAME": "TableCreator",
        "PGMIGRATIONS_INI": "/var/task/alembic.ini",
        "LOG_LEVEL": "DEBUG",
    }
    proxy = example.name("AWS::RDS::DBProxy")
    variables = example.function()["Environment"]["Variables"]
    assert flat(variables["DB_PROXY"]) == f"{{{proxy}.Endpoint}}"


def test_the_name_of_a_secret_that_the_stack_makes_is_its_arn_without_prefix_and_suffix(
    example: Resources,
) -> None:
    # A generated name has one hyphen, then comes the suffix behind another.
    variables = example.function()["Environment"]["Variables"]
    for variable, begin in (
        ("DB_USER_SECRET_NAME", "UserSecret"),
        ("DB_TABLE_CREATOR_SECRET_NAME", "TableCreatorSecret"),
        ("DB_SECRET_NAME", "PgmigrationsExampleDatabaseSecret"),
    ):
        secret = f"{{{example.name('AWS::SecretsManager::Secret', begin)}}}/:6"
        assert flat(variables[variable]) == f"{secret}/-0-{secret}/-1"


def test_a_failure_of_the_function_raises_an_alarm_and_tells_the_topic(example: Resources) -> None:
    alarm = example.one("AWS::CloudWatch::Alarm")["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (1, 1, "Sum")
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    function = example.name("AWS::Lambda::Function", "MigrationFunction")
    assert [flat(one["Value"]) for one in alarm["Dimensions"]] == [f"{{{function}}}"]
    topic = example.name("AWS::SNS::Topic")
    assert [flat(action) for action in alarm["AlarmActions"]] == [f"{{{topic}}}"]


def test_without_a_topic_there_is_an_alarm_that_tells_nobody(small: Resources) -> None:
    assert "AlarmActions" not in small.one("AWS::CloudWatch::Alarm")["Properties"]


def test_both_functions_log_into_groups_that_expire_and_outlive_a_rollback(
    example: Resources,
) -> None:
    groups = example.of("AWS::Logs::LogGroup")
    assert len(groups) == 2
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == 180
        assert group["DeletionPolicy"] == "Retain"
    used = {
        flat(one["Properties"]["LoggingConfig"]["LogGroup"])
        for one in example.of("AWS::Lambda::Function").values()
    }
    assert used == {f"{{{name}}}" for name in groups}


def test_cloudformation_calls_the_function_through_the_framework(example: Resources) -> None:
    resource = example.one("Custom::DatabaseMigration")
    framework = example.name("AWS::Lambda::Function", "MigrationProvider")
    assert flat(resource["Properties"]["ServiceToken"]) == f"{{{framework}.Arn}}"
    assert resource["Properties"]["ServiceTimeout"] == "1200"
    assert "VpcConfig" not in example.of("AWS::Lambda::Function")[framework]["Properties"]


@pytest.mark.parametrize(
    ("kind", "begin"),
    [
        ("AWS::RDS::DBInstance", "Database"),
        ("AWS::RDS::DBProxy", "Proxy"),
        ("AWS::RDS::DBProxyTargetGroup", "Proxy"),
        ("AWS::SecretsManager::SecretTargetAttachment", "Database"),
        ("AWS::SecretsManager::Secret", "UserSecret"),
        ("AWS::SecretsManager::Secret", "TableCreatorSecret"),
        ("AWS::EC2::VPCEndpoint", "VpcSecretsManager"),
        ("AWS::EC2::SecurityGroupIngress", "DatabaseSecurityGroupfromPgmigrationsExampleMigration"),
        ("AWS::EC2::SecurityGroupIngress", "VpcSecretsManagerSecurityGroupfrom"),
        ("AWS::EC2::SecurityGroupEgress", "MigrationSecurityGrouptoPgmigrationsExampleDatabase"),
    ],
)
def test_the_migration_waits_for_what_it_needs(example: Resources, kind: str, begin: str) -> None:
    assert example.name(kind, begin) in example.one("Custom::DatabaseMigration")["DependsOn"]


def test_a_change_of_secrets_environment_or_given_properties_calls_the_function(
    synthesized: ModuleType,
) -> None:
    resources: Resources = synthesized.small(
        by_name=True, environment={"LOG_LEVEL": "DEBUG"}, properties={"Database": "db-1"}
    )
    told = resources.one("Custom::DatabaseMigration")["Properties"]
    assert set(told) - {"ServiceToken", "ServiceTimeout"} == {
        "Revisions",
        "Secrets",
        "Environment",
        "Database",
    }
    assert told["Secrets"] == ["Migrator", "User", "TableCreator"]
    assert told["Environment"] == {"LOG_LEVEL": "DEBUG"}
    assert told["Database"] == "db-1"


def test_a_long_deployment_is_gone_on_with_by_a_second_function_of_the_same_code(
    synthesized: ModuleType,
) -> None:
    resources: Resources = synthesized.small(total_timeout=synthesized.minutes(45))
    first = resources.function()
    second = resources.one("AWS::Lambda::Function", "MigrationGoingOn")["Properties"]
    assert second["ImageConfig"] == {"Command": ["pgmigrations.aws.handler.is_complete"]}
    assert {**second, "ImageConfig": first["ImageConfig"]} == first
    told = resources.one("Custom::DatabaseMigration")["Properties"]
    assert (told["GoesOn"], told["ServiceTimeout"]) == (True, "2700")
    assert len(resources.of("AWS::CloudWatch::Alarm")) == 2
    wide = [one for _, one in resources.statements() if "*" in one.resources]
    assert {one.actions[0].split(":")[0] for one in wide} == {"ec2"}


def test_by_default_a_deployment_has_one_call_and_is_told_so(small: Resources) -> None:
    assert "GoesOn" not in small.one("Custom::DatabaseMigration")["Properties"]
    assert not small.of("AWS::StepFunctions::StateMachine")
